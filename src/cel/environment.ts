import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js'

import { walk, dottedName } from './ast.ts'
import { checkFormats } from './format-literals.ts'
import { registerHostFunctions } from './host-functions.ts'
import { instrument, replaceMacro } from './instrument.ts'
import { issueAt, toIssue, toRuntimeError, type KnownNames } from './issues.ts'
import { hasMacro } from './library/has.ts'
import { LIBRARIES } from './library/all.ts'
import { checkLiterals, checkUniform, constantCalls } from './literals.ts'
import { maskOptionalItems, optionalLiteral, type OptionalItems } from './optional-items.ts'
import { Runtime } from './runtime.ts'
import type {
  CelEnvironment,
  CelIssue,
  CelProgram,
  CelType,
  CelVariable,
  CompileOptions,
  CompileOutcome,
  CostBudget,
  EnvironmentOptions,
  EvaluateOutcome,
} from './types.ts'

export { celValue, fromCel } from './values.ts'

/** Kubernetes' limits for one expression and for all expressions of a policy (`pkg/apis/cel/config.go`). */
const PER_CALL = 1_000_000
const PER_POLICY = 10_000_000

// The longest expression of Istio's and Kubernetes' own CRDs has 2 KiB.
const MOST_SOURCE = 16 * 1024

/** A budget for the expressions of one policy on one request. */
export function createBudget(remaining: number = PER_POLICY): CostBudget {
  return { perCall: PER_CALL, remaining }
}

/** An environment of Kubernetes' dialect with these variables and functions. */
export function createEnvironment(options: EnvironmentOptions): CelEnvironment {
  const runtime = new Runtime()
  const base = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  for (const library of LIBRARIES) library.register(base, runtime)
  const hosts = registerHostFunctions(base, runtime, options.functions ?? [])
  return withVariables({ base, runtime, hosts, variables: options.variables })
}

interface Parts {
  readonly base: Environment
  readonly runtime: Runtime
  /** Dotted names of the host functions. */
  readonly hosts: ReadonlySet<string>
  readonly variables: Readonly<Record<string, CelVariable>>
}

function withVariables(parts: Parts): CelEnvironment {
  const environment = parts.base.clone()
  for (const [name, variable] of Object.entries(parts.variables)) declare(environment, name, variable)
  const known = knownNames(environment, parts)
  return {
    compile: (source, options = {}) => compile({ ...parts, environment, known }, source, options),
    extend: (variables) => withVariables({ ...parts, variables: { ...parts.variables, ...variables } }),
  }
}

function declare(environment: Environment, name: string, variable: CelVariable): void {
  if (typeof variable === 'string') environment.registerVariable(name, variable)
  else if ('fields' in variable) environment.registerVariable(name, { schema: { ...variable.fields } })
  else environment.registerVariable(name, 'dyn')
}

interface Compiler extends Parts {
  readonly environment: Environment
  readonly known: KnownNames
}

function compile(compiler: Compiler, source: string, { result, literals }: CompileOptions): CompileOutcome {
  const { environment, known, runtime } = compiler
  if (source.length > MOST_SOURCE) {
    const message = `the expression has ${source.length} characters; at most ${MOST_SOURCE} are compiled, split it into variables`
    return { ok: false, issues: [issueAt(source, 'CEL-LIMIT', message, 0, 0)] }
  }
  try {
    const { text, items } = maskOptionalItems(source)
    const parsed = environment.parse(text)
    const { variables, functions } = prepare(parsed.ast, compiler, { items, literals: literals ?? 'uniform' })
    const checked = parsed.check()
    if (!checked.valid) return { ok: false, issues: [toIssue(checked.error, source, known, ORIGINALS)] }
    const type = checked.type ?? 'dyn'
    const issues = [
      ...checkLiterals(parsed.ast, source),
      ...checkFormats(parsed.ast, source),
      ...(literals === 'mixed' ? [] : checkUniform(parsed.ast, source, items)),
      ...foldConstants(compiler, parsed.ast, source),
      ...checkResult(source, type, result),
    ]
    if (issues.length > 0) return { ok: false, issues }
    instrument(parsed.ast, runtime)
    const program = toProgram({ source, type, variables, functions, runtime, result, evaluate: parsed })
    return { ok: true, program, warnings: [] }
  } catch (error) {
    return { ok: false, issues: [toIssue(error, source, known, ORIGINALS)] }
  }
}

/** Tries the calls whose arguments are literals, so that what cannot succeed does not compile. */
function foldConstants({ environment, runtime }: Compiler, root: ASTNode, source: string): readonly CelIssue[] {
  return constantCalls(root).flatMap(({ start, end }) => {
    const part = source.slice(start, end)
    try {
      const parsed = environment.parse(part)
      rename(parsed.ast)
      parsed.check()
      instrument(parsed.ast, runtime)
      parsed({})
      return []
    } catch (error) {
      const { message } = toRuntimeError(error, part, ORIGINALS)
      return [issueAt(source, 'CEL-LITERAL', message, start, end)]
    }
  })
}

function rename(root: ASTNode): void {
  walk(root, (node) => {
    if (node.op === 'call' || node.op === 'rcall') node.args[0] = RENAMED.get(node.args[0]) ?? node.args[0]
  })
}

/** Members that the engine has, but Kubernetes has not: `cel.bind`, and its own of bytes. */
const ENGINE_ONLY: ReadonlySet<string> = new Set(['bind', 'hex', 'json', 'base64', 'at', 'string'])

/** New names by old ones of the functions whose semantics the engine does not have, and back. */
const RENAMED: ReadonlyMap<string, string> = new Map(
  LIBRARIES.flatMap(({ replaces }) => Object.entries(replaces ?? {})),
)
const ORIGINALS: ReadonlyMap<string, string> = new Map([...RENAMED].map(([old, name]) => [name, old]))

/** Renames calls before they are checked; tells which variables and host functions the expression uses. */
function prepare(
  root: ASTNode,
  { hosts, variables: declared }: Compiler,
  { items, literals }: { readonly items: OptionalItems; readonly literals: 'uniform' | 'mixed' },
): {
  readonly variables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
} {
  const variables = new Set<string>()
  const functions = new Set<string>()
  walk(root, (node) => {
    if (node.op === 'call' && node.args[0] === 'has') replaceMacro(node, hasMacro(node))
    const optional = items.get(node.start)
    if (optional !== undefined && (node.op === 'list' || node.op === 'map'))
      replaceMacro(node, optionalLiteral(node, optional, literals))
    if (node.op === 'id' && Object.hasOwn(declared, node.args)) variables.add(node.args)
    if (node.op !== 'rcall' && node.op !== 'call') return
    const name = node.args[0]
    const host = node.op === 'rcall' ? `${dottedName(node.args[1]) ?? ''}.${name}` : name
    if (hosts.has(host)) functions.add(host)
    else if (node.op === 'rcall' && ENGINE_ONLY.has(name)) throw unknownFunction(name, node)
    else node.args[0] = RENAMED.get(name) ?? name
  })
  return { variables, functions }
}

function unknownFunction(name: string, node: ASTNode): Error {
  return new ParseError({ code: 'no_matching_overload', message: `'${name}()' is no member function`, node })
}

function checkResult(source: string, type: CelType, wanted: readonly CelType[] | undefined): readonly CelIssue[] {
  if (wanted === undefined || type === 'dyn' || wanted.includes(type)) return []
  const message = `the expression gives ${type}, but ${wanted.join(' or ')} is needed here`
  return [issueAt(source, 'CEL-TYPE', message, 0, source.length)]
}

interface ProgramParts {
  readonly source: string
  readonly type: CelType
  readonly variables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
  readonly runtime: Runtime
  readonly result: readonly CelType[] | undefined
  readonly evaluate: (activation: Readonly<Record<string, unknown>>) => unknown
}

function toProgram({ source, type, variables, functions, runtime, result, evaluate }: ProgramParts): CelProgram {
  return {
    source,
    type,
    variables,
    functions,
    evaluate(activation, budget, host): EvaluateOutcome {
      try {
        const { value, exceeded } = runtime.run(host, budget, () => evaluate(activation))
        if (exceeded) return tooCostly(source)
        return wrongType(value, type, result) ? unexpected(value, source, result) : { ok: true, value }
      } catch (error) {
        if (error instanceof Error && error.name === 'CostExceeded') return tooCostly(source)
        return { ok: false, error: toRuntimeError(error, source, ORIGINALS) }
      }
    },
  }
}

/** A `dyn` expression promised nothing; what it gives is looked at when it is there. */
function wrongType(value: unknown, type: CelType, result: readonly CelType[] | undefined): boolean {
  if (type !== 'dyn' || result === undefined) return false
  return !result.some((wanted) =>
    wanted === 'bool' ? typeof value === 'boolean' : wanted !== 'string' || typeof value === 'string',
  )
}

function unexpected(value: unknown, source: string, result: readonly CelType[] | undefined): EvaluateOutcome {
  const given =
    value === null ? 'null' : typeof value === 'bigint' ? 'int' : Array.isArray(value) ? 'list' : typeof value
  const message = `the expression gave ${given}, but ${(result ?? []).join(' or ')} is needed here`
  return { ok: false, error: { code: 'CEL-RUNTIME', message, start: 0, end: source.length } }
}

function tooCostly(source: string): EvaluateOutcome {
  const message =
    'the expression would take more steps than the limit of Kubernetes allows; look at fewer items, or at each only once'
  return { ok: false, error: { code: 'CEL-COST', message, start: 0, end: source.length } }
}

function knownNames(environment: Environment, { variables }: Parts): KnownNames {
  const fields = Object.values(variables).flatMap((variable) =>
    typeof variable === 'object' && 'fields' in variable ? Object.keys(variable.fields) : [],
  )
  const functions = environment.getDefinitions().functions.map(({ name }) => ORIGINALS.get(name) ?? name)
  const known = functions.filter((name) => name === 'string' || !ENGINE_ONLY.has(name))
  return { variables: Object.keys(variables), functions: [...new Set(known)], fields }
}
