import { createEnvironment } from '../cel/environment.ts'
import { closedObject, DYN, type Type } from '../cel/check/type.ts'
import type { HostFunction } from '../cel/types.ts'
import { asList, asObject, type JsonObject } from '../kube/json.ts'
import type { KindSchema } from '../kube/kind-schema.ts'
import type { YamlDocument } from '../kube/yaml-document.ts'
import { ADMISSION_VARIABLES, variableType } from './admission-variables.ts'
import { checkParams } from './check-params.ts'
import { checkSchema } from './check-schema.ts'
import { checkTypes } from './check-types.ts'
import { compileExpression, report, type CompileContext } from './compile-context.ts'
import { compileDefault, compileValidation, type Environments } from './compile-rules.ts'
import { readKindTypes, type KindType } from './kind-types.ts'
import { readPolicyHead } from './policy-head.ts'
import { meshPolicySchema } from './policy-schema.ts'
import type { NamedExpression, Policy, PolicyIssue, PolicyProgram } from './policy.ts'
import { shapeIssues } from './shape-issues.ts'

export type CompilePolicyOutcome =
  /** A policy whose scope could be read; one that does not compile has `issues` and no `program`. */
  | { readonly ok: true; readonly policy: Policy }
  /** Not even code, name and scope could be read: there is no place where such a policy could answer. */
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

export interface PolicyCompiler {
  /** Compiles one MeshPolicy document. Never throws. */
  compile(document: YamlDocument, file: string): CompilePolicyOutcome
}

/**
 * A compiler for policies whose expressions may call `functions` (`mesh.*`). Environments are shared by all policies
 * that it compiles, so make one and keep it. With the schemas of kinds, fields that these do not have are warnings.
 */
export function createPolicyCompiler(
  functions: readonly HostFunction[],
  schemas: readonly KindSchema[] = [],
): PolicyCompiler {
  const kinds = readKindTypes(schemas)
  const scope = createEnvironment({ variables: ADMISSION_VARIABLES, functions })
  return {
    compile(document, file) {
      const context: CompileContext = { document, file, scope, issues: [], expressions: [], functions: new Set() }
      return compileDocument(context, kinds)
    },
  }
}

function compileDocument(context: CompileContext, kinds: readonly KindType[]): CompilePolicyOutcome {
  const { document, file } = context
  const shape = checkSchema(document.value, meshPolicySchema)
  context.issues.push(...shapeIssues(shape, { document, file, code: 'POLICY-SHAPE' }))
  const root = asObject(document.value)
  const spec = asObject(root.spec)
  const head = readPolicyHead(root)
  if (head === undefined) return { ok: false, issues: context.issues }
  const params = checkParams(head, head.params.default)
  const path = ['spec', 'params', 'default']
  context.issues.push(...shapeIssues(params, { document, file, path, code: 'POLICY-PARAMS' }))
  const program = compileProgram(context, spec)
  const broken = context.issues.length > 0
  const { functions, issues } = context
  const warnings = broken ? [] : checkTypes({ context, head, spec, program, kinds })
  return {
    ok: true,
    policy: {
      ...head,
      program: broken ? undefined : { ...program, functions },
      issues,
      warnings,
      source: { file, spec },
    },
  }
}

function compileProgram(context: CompileContext, spec: JsonObject): Omit<PolicyProgram, 'functions'> {
  const matchConditions = compileConditions(context, spec)
  const { compiled: variables, types } = compileVariables(context, spec)
  const hasVariables = Object.keys(types).length > 0
  const whole = hasVariables ? context.scope.extend({ variables: closedObject('variables', types) }) : context.scope
  const targeted = whole.extend({ target: 'dyn' })
  const environments: Environments = { whole, targeted }
  return {
    matchConditions,
    variables,
    validations: asList(spec.validations).flatMap((_, index) => compileValidation(context, environments, spec, index)),
    defaults: asList(spec.defaults).flatMap((_, index) => compileDefault(context, environments, spec, index)),
  }
}

/** The match conditions; as in ValidatingAdmissionPolicy they see no variables. */
function compileConditions(context: CompileContext, spec: JsonObject): readonly NamedExpression[] {
  return asList(spec.matchConditions).flatMap((item, index) => {
    const { name, expression } = asObject(item)
    if (typeof name !== 'string' || typeof expression !== 'string') return []
    const path = ['spec', 'matchConditions', index, 'expression']
    const program = compileExpression(context, context.scope, path, expression, ['bool'])
    return program === undefined ? [] : [{ name, program }]
  })
}

/** Each variable sees the ones before it. One that does not compile is `dyn` to the others: it is one mistake. */
function compileVariables(context: CompileContext, spec: JsonObject): Variables {
  const compiled: NamedExpression[] = []
  const types: Record<string, Type> = {}
  for (const [index, item] of asList(spec.variables).entries()) {
    const { name, expression } = asObject(item)
    if (typeof name !== 'string' || typeof expression !== 'string') continue
    const path = ['spec', 'variables', index]
    if (Object.hasOwn(types, name)) report(context, 'POLICY-SHAPE', path, `there is already a variable "${name}"`)
    const environment = context.scope.extend({ variables: closedObject('variables', types) })
    const program = compileExpression(context, environment, [...path, 'expression'], expression)
    if (program !== undefined) compiled.push({ name, program })
    types[name] = program === undefined ? DYN : variableType(program.type)
  }
  return { compiled, types }
}

interface Variables {
  readonly compiled: readonly NamedExpression[]
  readonly types: Readonly<Record<string, Type>>
}
