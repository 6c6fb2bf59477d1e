import type { CelEnvironment, CelIssue, CelProgram, CelType, CelVariable, HostFunction } from '../cel/types.ts'
import { createEnvironment } from '../cel/environment.ts'
import { parseField, type FieldPath } from '../kube/field-path.ts'
import { asList, asObject, own, type Json, type JsonObject } from '../kube/json.ts'
import type { YamlDocument } from '../kube/yaml-document.ts'
import { checkSchema } from './check-schema.ts'
import { compileJsonPath, type TargetSelector } from './json-path.ts'
import type {
  DefaultField,
  DefaultRule,
  FixStep,
  NamedExpression,
  Places,
  Policy,
  PolicyIssue,
  PolicyProgram,
  Validation,
} from './policy.ts'
import { meshPolicySchema } from './policy-schema.ts'
import { readActions, readPolicyHead } from './policy-head.ts'

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
 * that it compiles, so make one and keep it.
 */
export function createPolicyCompiler(functions: readonly HostFunction[]): PolicyCompiler {
  const scope = createEnvironment({ variables: SCOPE_VARIABLES, functions })
  return {
    compile(document, file) {
      const context: Context = { document, file, scope, issues: [], warnings: [], functions: new Set() }
      return compileDocument(context)
    },
  }
}

/** What every expression of a policy sees. */
const SCOPE_VARIABLES: Readonly<Record<string, CelVariable>> = {
  object: 'dyn',
  oldObject: 'dyn',
  request: 'dyn',
  namespaceObject: 'dyn',
  params: 'dyn',
}

interface Context {
  readonly document: YamlDocument
  readonly file: string
  readonly scope: CelEnvironment
  readonly issues: PolicyIssue[]
  readonly warnings: PolicyIssue[]
  readonly functions: Set<string>
}

function compileDocument(context: Context): CompilePolicyOutcome {
  const { document, file } = context
  for (const { path, message } of checkSchema(document.value, meshPolicySchema))
    report(context, 'POLICY-SHAPE', path, message)
  const root = asObject(document.value)
  const spec = asObject(root.spec)
  const head = readPolicyHead(root)
  if (head === undefined) return { ok: false, issues: context.issues }
  const program = compileProgram(context, spec)
  const broken = context.issues.length > 0
  const { functions, issues, warnings } = context
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

function compileProgram(context: Context, spec: JsonObject): Omit<PolicyProgram, 'functions'> {
  const matchConditions = compileNamed(context, context.scope, spec, 'matchConditions', ['bool'])
  const variables = compileVariables(context, spec)
  const fields = Object.fromEntries(variables.map(({ name, program }) => [name, program.type]))
  const whole = variables.length > 0 ? context.scope.extend({ variables: { fields } }) : context.scope
  const targeted = whole.extend({ target: 'dyn' })
  const environments: Environments = { whole, targeted }
  return {
    matchConditions,
    variables,
    validations: asList(spec.validations).flatMap((_, index) => compileValidation(context, environments, spec, index)),
    defaults: asList(spec.defaults).flatMap((_, index) => compileDefault(context, environments, spec, index)),
  }
}

/** `whole` for rules about the object itself, `targeted` for those that walk to places in it. */
interface Environments {
  readonly whole: CelEnvironment
  readonly targeted: CelEnvironment
}

/** Each variable sees the ones before it, as in ValidatingAdmissionPolicy. */
function compileVariables(context: Context, spec: JsonObject): readonly NamedExpression[] {
  const done: NamedExpression[] = []
  let environment = context.scope
  for (const index of asList(spec.variables).keys()) {
    const path = ['spec', 'variables', index]
    const { name, expression } = asObject(asList(spec.variables)[index])
    if (typeof name !== 'string' || typeof expression !== 'string') continue
    const program = compileExpression(context, environment, [...path, 'expression'], expression)
    if (program === undefined) continue
    done.push({ name, program })
    const fields = Object.fromEntries(done.map((variable) => [variable.name, variable.program.type]))
    environment = context.scope.extend({ variables: { fields } })
  }
  return done
}

function compileNamed(
  context: Context,
  environment: CelEnvironment,
  spec: JsonObject,
  field: 'matchConditions',
  result: readonly CelType[],
): readonly NamedExpression[] {
  return asList(spec[field]).flatMap((item, index) => {
    const { name, expression } = asObject(item)
    if (typeof name !== 'string' || typeof expression !== 'string') return []
    const program = compileExpression(context, environment, ['spec', field, index, 'expression'], expression, result)
    return program === undefined ? [] : [{ name, program }]
  })
}

function compileValidation(
  context: Context,
  environments: Environments,
  spec: JsonObject,
  index: number,
): readonly Validation[] {
  const path = ['spec', 'validations', index]
  const text = asObject(asList(spec.validations)[index])
  const places = compilePlaces(context, environments, path, text)
  const environment = places.forEach.length > 0 ? environments.targeted : environments.whole
  const at = (field: string, result?: readonly CelType[]): CelProgram | undefined => {
    const source = own(text, field)
    return typeof source === 'string'
      ? compileExpression(context, environment, [...path, field], source, result)
      : undefined
  }
  const hasExpression = text.expression !== undefined
  if (hasExpression === (text.findings !== undefined)) {
    report(
      context,
      'POLICY-SHAPE',
      path,
      'a validation has either `expression` (false = a finding) or `findings`, not both and not neither',
    )
    return []
  }
  if (hasExpression && text.message === undefined && text.messageExpression === undefined) {
    report(
      context,
      'POLICY-SHAPE',
      path,
      'a validation needs `message` or `messageExpression`: what is wrong, in the words of the person who wrote the object',
    )
  }
  const program = hasExpression ? at('expression', ['bool']) : at('findings')
  const validation = {
    ...places,
    field: compileField(context, [...path, 'field'], text.field),
    message: string(text.message),
    messageExpression: at('messageExpression', ['string']),
    remediation: string(text.remediation),
    remediationExpression: at('remediationExpression', ['string']),
    atMost: readActions([text.atMost ?? null])?.[0],
    fix: asList(text.fix).flatMap((_, step) => compileFix(context, environment, [...path, 'fix', step], text, step)),
  }
  if (program === undefined) return []
  return [{ ...validation, check: { kind: hasExpression ? 'expression' : 'findings', program } }]
}

function compileDefault(
  context: Context,
  environments: Environments,
  spec: JsonObject,
  index: number,
): readonly DefaultRule[] {
  const path = ['spec', 'defaults', index]
  const text = asObject(asList(spec.defaults)[index])
  const places = compilePlaces(context, environments, path, text)
  const environment = places.forEach.length > 0 ? environments.targeted : environments.whole
  const set: DefaultField[] = []
  for (const [field, source] of Object.entries(asObject(text.set))) {
    const at = [...path, 'set', field]
    if (typeof source !== 'string') continue
    const program = compileExpression(context, environment, at, source)
    const relative = compileField(context, at, field)
    if (program !== undefined) set.push({ field: relative, program })
  }
  return [{ ...places, set, note: string(text.note) }]
}

function compilePlaces(context: Context, environments: Environments, path: FieldPath, text: JsonObject): Places {
  const listed = typeof text.forEach === 'string' ? [text.forEach] : asList(text.forEach)
  const forEachText = listed.filter((item): item is string => typeof item === 'string')
  const forEach = forEachText.flatMap((source, index) => {
    const at = typeof text.forEach === 'string' ? [...path, 'forEach'] : [...path, 'forEach', index]
    return compileTargets(context, at, source)
  })
  const environment = forEach.length > 0 ? environments.targeted : environments.whole
  const when =
    typeof text.when === 'string'
      ? compileExpression(context, environment, [...path, 'when'], text.when, ['bool'])
      : undefined
  return { forEach, forEachText, when }
}

function compileTargets(context: Context, path: FieldPath, source: string): readonly TargetSelector[] {
  const outcome = compileJsonPath(source)
  if (outcome.ok) return [outcome.select]
  const { line, column } = context.document.locateInScalar(path, outcome.offset)
  const message = `JSONPath "${source}": ${outcome.message}`
  context.issues.push({ code: 'POLICY-PATH', file: context.file, line, column, message })
  return []
}

function compileFix(
  context: Context,
  environment: CelEnvironment,
  path: FieldPath,
  validation: JsonObject,
  index: number,
): readonly FixStep[] {
  const step = asObject(asList(validation.fix)[index])
  const field = compileField(context, [...path, 'path'], step.path)
  switch (step.op) {
    case 'remove':
      return [{ op: 'remove', path: field }]
    case 'prune':
      return [{ op: 'prune', path: field, besides: asList(step.besides).filter((name) => typeof name === 'string') }]
    case 'add':
    case 'replace': {
      if ((step.value === undefined) === (step.valueExpression === undefined)) {
        report(context, 'POLICY-SHAPE', path, `a fix with op ${step.op} has either \`value\` or \`valueExpression\``)
        return []
      }
      if (typeof step.valueExpression !== 'string') return [{ op: 'set', path: field, value: step.value ?? null }]
      const program = compileExpression(context, environment, [...path, 'valueExpression'], step.valueExpression)
      return program === undefined ? [] : [{ op: 'set', path: field, program }]
    }
    default:
      return []
  }
}

function compileField(context: Context, path: FieldPath, text: Json | undefined): FieldPath {
  if (typeof text !== 'string' || text === '') return []
  const field = parseField(text)
  if (field !== undefined) return field
  report(
    context,
    'POLICY-SHAPE',
    path,
    `"${text}" is no field; write names joined by dots, and [0] or [key] for the rest`,
  )
  return []
}

function compileExpression(
  context: Context,
  environment: CelEnvironment,
  path: FieldPath,
  source: string,
  result?: readonly CelType[],
): CelProgram | undefined {
  const outcome = environment.compile(source, result === undefined ? {} : { result })
  const locate = (issue: CelIssue): PolicyIssue => {
    const { line, column } = context.document.locateInScalar(path, issue.start)
    return { code: issue.code, file: context.file, line, column, message: issue.message }
  }
  if (!outcome.ok) {
    context.issues.push(...outcome.issues.map(locate))
    return undefined
  }
  context.warnings.push(...outcome.warnings.map(locate))
  for (const name of outcome.program.functions) context.functions.add(name)
  return outcome.program
}

function report(context: Context, code: string, path: FieldPath, message: string): void {
  const { line, column } = context.document.locate(path)
  context.issues.push({ code, file: context.file, line, column, message })
}

function string(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
