import { schemaType } from '../cel/check/schema-type.ts'
import { closedObject, DYN, type Type } from '../cel/check/type.ts'
import { parseField, type FieldPath } from '../kube/field-path.ts'
import { asList, asObject, own, type JsonObject } from '../kube/json.ts'
import type { CompileContext, CompiledExpression } from './compile-context.ts'
import { checkField, checkWalk } from './check-walk.ts'
import { kindLabel, kindsOf, type KindType } from './kind-types.ts'
import type { PolicyHead } from './policy-head.ts'
import type { Places, PolicyIssue, PolicyProgram, ResourceRule } from './policy.ts'

/** A policy that compiles, its text, and the kinds whose fields are known. */
export interface TypeCheckInput {
  readonly context: CompileContext
  readonly head: PolicyHead
  readonly spec: JsonObject
  readonly program: Pick<PolicyProgram, 'validations' | 'defaults'>
  readonly kinds: readonly KindType[]
}

/**
 * What a policy says of fields that no object of its kinds has: one check for each kind that it names and whose schema
 * is known. These are warnings; they never change what compiles. The idea is that of ValidatingAdmissionPolicy's
 * `status.typeChecking`: k8s.io/apiserver `pkg/admission/plugin/policy/validating/typechecking.go`.
 */
export function checkTypes(input: TypeCheckInput): readonly PolicyIssue[] {
  const { context, head } = input
  const named = kindsOf(atAdmission(head.match.resourceRules), input.kinds)
  const params = paramsType(head.params.schema)
  const warnings = new Map<string, PolicyIssue>()
  for (const kind of named.length === 0 ? [undefined] : named) {
    const prefix = kind === undefined || named.length === 1 ? '' : `for ${kindLabel(kind, named)}: `
    const check: KindCheck = {
      ...input,
      object: kind?.type ?? DYN,
      others: named.filter((other) => other !== kind).map(({ type }) => type),
      params,
      warn(path, place, { code, message }) {
        const { document } = context
        const { line, column } = place === 'key' ? document.locateName(path) : document.locateInScalar(path, place)
        const warning = { code, file: context.file, line, column, message: `${prefix}${message}` }
        warnings.set(JSON.stringify(warning), warning)
      },
    }
    checkKind(check)
  }
  return [...warnings.values()].sort((a, b) => a.line - b.line || a.column - b.column)
}

/** The rules about what is judged at admission. Beside it, what a scan looks at is only handed on to a function of the mesh. */
function atAdmission(rules: readonly ResourceRule[]): readonly ResourceRule[] {
  const asked = rules.filter(({ operations }) => operations.some((operation) => operation !== 'SCAN'))
  return asked.length === 0 ? rules : asked
}

/** A parameter that the schema does not name is not there, as where values are checked. */
function paramsType(schema: JsonObject | undefined): Type {
  return schema === undefined ? DYN : schemaType('params', { properties: {}, ...schema, type: 'object' }, {})
}

interface KindCheck extends TypeCheckInput {
  readonly object: Type
  /** The types of the other kinds that the policy names. */
  readonly others: readonly Type[]
  readonly params: Type
  /** Reports at a character of the text at a path, or at the key of it. */
  readonly warn: (path: FieldPath, place: number | 'key', issue: Pick<PolicyIssue, 'code' | 'message'>) => void
}

type Types = ReadonlyMap<string, Type>

function checkKind(check: KindCheck): void {
  const { object, params, spec, program } = check
  const seen = new Map<string, Type>([
    ['object', object],
    ['oldObject', object],
    ['params', params],
  ])
  for (const expression of expressionsAt(check, 'matchConditions')) checkExpression(check, expression, seen)
  const variables: Record<string, Type> = {}
  for (const [index, variable] of asList(spec.variables).entries()) {
    const types = new Map([...seen, ['variables', closedObject('variables', { ...variables })] as const])
    const [expression] = expressionsAt(check, 'variables', index)
    const { name } = asObject(variable)
    if (expression !== undefined && typeof name === 'string')
      variables[name] = checkExpression(check, expression, types)
  }
  const types = new Map([...seen, ['variables', closedObject('variables', variables)] as const])
  for (const [index, places] of program.validations.entries())
    checkRule(check, types, { section: 'validations', index, places })
  for (const [index, places] of program.defaults.entries())
    checkRule(check, types, { section: 'defaults', index, places })
}

function expressionsAt({ context }: KindCheck, section: string, index?: number): readonly CompiledExpression[] {
  return context.expressions.filter(({ path }) => path[1] === section && (index === undefined || path[2] === index))
}

/** Checks one expression; gives its type. */
function checkExpression({ warn }: KindCheck, { path, program }: CompiledExpression, types: Types): Type {
  const { type, issues } = program.typeCheck(types)
  for (const issue of issues) warn(path, issue.start, issue)
  return type
}

interface Rule {
  readonly section: 'validations' | 'defaults'
  readonly index: number
  readonly places: Places
}

/**
 * A rule sees a target of each type that its paths lead to. A path that leads nowhere in this kind, but somewhere in
 * another that the policy names, picks nothing here.
 */
function checkRule(check: KindCheck, types: Types, { section, index, places }: Rule): void {
  const path = ['spec', section, index]
  const text = asObject(asList(own(check.spec, section))[index])
  const targets = places.forEach.flatMap(({ text: source, steps }, place) => {
    const at = typeof text.forEach === 'string' ? [...path, 'forEach'] : [...path, 'forEach', place]
    return checkWalk({ ...check, steps, source, warn: unknownAt(check, at) })
  })
  for (const target of places.forEach.length === 0 ? [check.object] : targets) {
    for (const expression of expressionsAt(check, section, index))
      checkExpression(check, expression, new Map([...types, ['target', target]]))
    for (const { at, field, isKey } of fieldsOf(text, path)) {
      checkField(target, parseField(field) ?? [], field, unknownAt(check, at, isKey ? 'key' : undefined))
    }
  }
}

/** Reports a step of a path that leads nowhere, at its offset in the text or at the key. */
function unknownAt({ warn }: KindCheck, at: FieldPath, place?: 'key'): (offset: number, message: string) => void {
  return (offset, message) => warn(at, place ?? offset, { code: 'CEL-UNKNOWN-FIELD', message })
}

interface NamedField {
  readonly at: FieldPath
  readonly field: string
  /** Is it the name of what stands at the path, and not its text? */
  readonly isKey: boolean
}

/** The fields that a rule names beside its expressions, relative to the target. */
function fieldsOf(text: JsonObject, path: FieldPath): readonly NamedField[] {
  const fixes = asList(text.fix).map((step, place) => ({
    at: [...path, 'fix', place, 'path'],
    field: asObject(step).path,
  }))
  const written = [{ at: [...path, 'field'], field: text.field }, ...fixes].flatMap(({ at, field }) =>
    typeof field === 'string' ? [{ at, field, isKey: false }] : [],
  )
  const set = Object.keys(asObject(text.set)).map((field) => ({ at: [...path, 'set', field], field, isKey: true }))
  return [...written, ...set]
}
