import { Environment, ParseError, type ASTNode } from '@marcbachmann/cel-js'

import { depthOf, dottedName, walk } from './ast.ts'
import { checkExpression, type Checked } from './check/check-expression.ts'
import { readDeclarations, type Declarations } from './check/declarations.ts'
import type { Nulls } from './check/inference.ts'
import { DYN, engineType, parseType, showType, type Type } from './check/type.ts'
import { account } from './cost/accounting.ts'
import { checkFormats } from './format-literals.ts'
import { checkGrammar, orderRelations } from './grammar.ts'
import { registerHostFunctions } from './host-functions.ts'
import { replaceMacro } from './engine-nodes.ts'
import { imposeTypes } from './engine-types.ts'
import { instrument } from './instrument.ts'
import { issueAt, toIssue, toRuntimeError, type KnownNames } from './issues.ts'
import { hasMacro } from './library/has.ts'
import { LIBRARIES } from './library/all.ts'
import { alternativeMacro, isAlternative } from './library/or.ts'
import { checkLiterals, checkUniform, constantCalls } from './literals.ts'
import { maskMessages, restoreFields } from './message-literals.ts'
import { messageNode } from './message-nodes.ts'
import { operatorNode, type CallFacts } from './operator-nodes.ts'
import { emptyLiteral, maskOptionalItems, optionalLiteral, type OptionalItems } from './optional-items.ts'
import { Runtime } from './runtime.ts'
import { maskSigns } from './signs.ts'
import { maskTexts, restoreTexts } from './text-literals.ts'
import { tokensOf } from './tokens.ts'
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

// Whatever goes through a tree calls itself; the stack of Node has room for some 900 levels of the checker.
const MOST_DEPTH = 500

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
  const { functions, variables } = base.getDefinitions()
  return withVariables({
    base,
    runtime,
    hosts,
    declarations: readDeclarations(functions.map(({ signature }) => signature)),
    constants: new Map(variables.map(({ name, type }) => [name, parseType(type)])),
    variables: options.variables,
  })
}

const NO_MESSAGES = { messages: new Map<number, string>(), fields: new Map<number, string>() }

interface Parts {
  readonly base: Environment
  readonly runtime: Runtime
  /** Dotted names of the host functions. */
  readonly hosts: ReadonlySet<string>
  readonly declarations: Declarations
  /** Types of the names that libraries and host functions bring: `optional`, `int`, `mesh`. */
  readonly constants: ReadonlyMap<string, Type>
  readonly variables: Readonly<Record<string, CelVariable>>
}

function withVariables(parts: Parts): CelEnvironment {
  const environment = parts.base.clone()
  const types = new Map<string, Type>()
  for (const [name, variable] of Object.entries(parts.variables)) {
    const type = typeof variable === 'string' ? parseType(variable) : variable
    types.set(name, type)
    environment.registerVariable(name, engineType(type))
  }
  // Asked for where something is wrong, which is seldom.
  const known = (): KnownNames => knownNames(environment, parts)
  return {
    compile: (source, options = {}) => compile({ ...parts, environment, types, known }, source, options),
    extend: (variables) => withVariables({ ...parts, variables: { ...parts.variables, ...variables } }),
  }
}

interface Compiler extends Parts {
  readonly environment: Environment
  /** Types of the variables. */
  readonly types: ReadonlyMap<string, Type>
  readonly known: () => KnownNames
}

function compile(compiler: Compiler, source: string, options: CompileOptions): CompileOutcome {
  const { environment, known, runtime } = compiler
  const { result, literals = 'uniform', objects = literals === 'mixed' ? 'mutation' : 'none' } = options
  if (source.length > MOST_SOURCE) {
    const message = `the expression has ${source.length} characters; at most ${MOST_SOURCE} are compiled, split it into variables`
    return { ok: false, issues: [issueAt(source, 'CEL-LIMIT', message, 0, 0)] }
  }
  try {
    const tokens = tokensOf(source)
    const { text: readable, values } = maskTexts(maskSigns(source, tokens), tokens)
    const masked = objects === 'mutation' ? maskMessages(readable, tokens) : { ...NO_MESSAGES, text: readable }
    const { text, items } = maskOptionalItems(masked.text, tokens)
    const parsed = environment.parse(text)
    const tooDeep = checkDepth(parsed.ast, source)
    if (tooDeep.length > 0) return { ok: false, issues: tooDeep }
    restoreTexts(parsed.ast, values)
    const refused = [...checkGrammar(tokens, source), ...restoreFields(parsed.ast, masked, source)]
    if (refused.length > 0) return { ok: false, issues: refused }
    orderRelations(parsed.ast, tokens)
    const facts: CallFacts = { messages: masked.messages, overloadsOf: () => [], isConstant: () => false }
    const { variables, functions } = prepare(parsed.ast, compiler, { items, facts })
    const check = (types: ReadonlyMap<string, Type>, nulls: Nulls): Checked =>
      checkExpression(parsed.ast, {
        ...compiler,
        source,
        variables: types,
        originals: ORIGINALS,
        optionalItems: items,
        messages: masked.messages,
        nulls,
      })
    const checked = check(compiler.types, 'as typed')
    const { type, typeOf, issues: typeIssues } = checked
    // What is wrong with names the engine says better.
    if (typeIssues.length === 0) imposeTypes(parsed.ast, typeOf)
    const engineCheck = parsed.check()
    if (!engineCheck.valid) return { ok: false, issues: [toIssue(engineCheck.error, source, known(), ORIGINALS)] }
    const literalFacts = { messages: masked.messages, isConstant: checked.isConstant }
    const issues = [
      ...typeIssues,
      ...checkLiterals(parsed.ast, source, { ...literalFacts, typeOf }),
      ...checkFormats(parsed.ast, source, typeOf),
      ...(literals === 'mixed' ? [] : checkUniform(parsed.ast, source, { items, messages: masked.messages, typeOf })),
      ...foldConstants(compiler, constantCalls(parsed.ast, literalFacts), source),
      ...(typeIssues.length > 0 ? [] : checkResult(source, type, result)),
    ]
    if (issues.length > 0) return { ok: false, issues }
    Object.assign(facts, { overloadsOf: checked.overloadsOf, isConstant: checked.isConstant })
    account(parsed.ast, { runtime, messages: masked.messages, isConstant: checked.isConstant, checked })
    instrument(parsed.ast, runtime, checked)
    const typeCheck: CelProgram['typeCheck'] = (types) => check(new Map([...compiler.types, ...types]), 'anywhere')
    return {
      ok: true,
      program: toProgram({ source, type, typeCheck, variables, functions, runtime, evaluate: parsed }),
    }
  } catch (error) {
    return { ok: false, issues: [toIssue(error, source, known(), ORIGINALS)] }
  }
}

function checkDepth(root: ASTNode, source: string): readonly CelIssue[] {
  const depth = depthOf(root)
  if (depth <= MOST_DEPTH) return []
  const message = `the expression is ${depth} levels deep; at most ${MOST_DEPTH} are compiled, split it into variables or lists`
  return [issueAt(source, 'CEL-LIMIT', message, 0, source.length)]
}

/** Of calls of literals there is nothing to be said. */
const UNCHECKED = { overloadsOf: () => [], isNarrowed: () => false, isConstant: () => false, typeOf: () => DYN }

/** Tries the calls whose arguments are literals, so that what cannot succeed does not compile. */
function foldConstants(
  { environment, runtime }: Compiler,
  calls: readonly ASTNode[],
  source: string,
): readonly CelIssue[] {
  return calls.flatMap(({ start, end }) => {
    const part = source.slice(start, end)
    try {
      const parsed = environment.parse(part)
      rename(parsed.ast)
      parsed.check()
      instrument(parsed.ast, runtime, UNCHECKED)
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
  { hosts, runtime, variables: declared }: Compiler,
  { items, facts }: { readonly items: OptionalItems; readonly facts: CallFacts },
): {
  readonly variables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
} {
  const variables = new Set<string>()
  const functions = new Set<string>()
  walk(root, (node) => {
    const operator = operatorNode(node, runtime, facts)
    if (operator !== undefined) replaceMacro(node, operator)
    if (node.op === 'call' && node.args[0] === 'has') replaceMacro(node, hasMacro(node))
    if (isAlternative(node)) replaceMacro(node, alternativeMacro(node))
    const message = node.op === 'map' ? facts.messages.get(node.start) : undefined
    if (message !== undefined && node.op === 'map')
      return replaceMacro(node, messageNode(node, message, items.get(node.start)))
    const empty = emptyLiteral(node)
    if (empty !== undefined) replaceMacro(node, empty)
    const optional = items.get(node.start)
    if (optional !== undefined && (node.op === 'list' || node.op === 'map'))
      replaceMacro(node, optionalLiteral(node, optional))
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

/** As in ValidatingAdmissionPolicy, the type is exactly the one that is wanted; `dyn` promises nothing. */
function checkResult(source: string, type: Type, wanted: readonly CelType[] | undefined): readonly CelIssue[] {
  const given = showType(type)
  if (wanted === undefined || wanted.includes(given)) return []
  const [first = 'dyn'] = wanted
  const hint = given === 'dyn' ? `; convert it, as in ${first}(…), or compare it` : ''
  const message = `the expression gives ${given}, but ${wanted.join(' or ')} is needed here${hint}`
  return [issueAt(source, 'CEL-TYPE', message, 0, source.length)]
}

interface ProgramParts {
  readonly source: string
  readonly type: Type
  readonly typeCheck: CelProgram['typeCheck']
  readonly variables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
  readonly runtime: Runtime
  readonly evaluate: (activation: Readonly<Record<string, unknown>>) => unknown
}

function toProgram({ runtime, evaluate, ...program }: ProgramParts): CelProgram {
  const { source } = program
  return {
    ...program,
    evaluate(activation, budget, host): EvaluateOutcome {
      try {
        const { value, exceeded, failure } = runtime.run(host, budget, () => evaluate(activation))
        if (exceeded) return tooCostly(source)
        if (failure !== undefined) throw failure.error
        return { ok: true, value }
      } catch (error) {
        if (error instanceof Error && error.name === 'CostExceeded') return tooCostly(source)
        return { ok: false, error: toRuntimeError(error, source, ORIGINALS) }
      }
    },
  }
}

function tooCostly(source: string): EvaluateOutcome {
  const message =
    'the expression would take more steps than the limit of Kubernetes allows; look at fewer items, or at each only once'
  return { ok: false, error: { code: 'CEL-COST', message, start: 0, end: source.length } }
}

function knownNames(environment: Environment, { variables }: Parts): KnownNames {
  const functions = environment.getDefinitions().functions.map(({ name }) => ORIGINALS.get(name) ?? name)
  const known = functions.filter((name) => name === 'string' || !ENGINE_ONLY.has(name))
  return { variables: Object.keys(variables), functions: [...new Set(known)] }
}
