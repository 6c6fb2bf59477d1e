import type { CelEnvironment, CelProgram, CelType } from '../cel/types.ts'
import { parseField, type FieldPath } from '../kube/field-path.ts'
import { asList, asObject, own, type Json, type JsonObject } from '../kube/json.ts'
import { compileExpression, report, type CompileContext } from './compile-context.ts'
import { compileJsonPath } from './json-path.ts'
import { readActions, strings } from './policy-head.ts'
import type { DefaultField, DefaultRule, FixStep, Places, Validation, WalkedPath } from './policy.ts'

/** `whole` for rules about the object itself, `targeted` for those that walk to places in it. */
export interface Environments {
  readonly whole: CelEnvironment
  readonly targeted: CelEnvironment
}

/** Compiles `spec.validations[index]`; nothing where it does not compile. */
export function compileValidation(
  context: CompileContext,
  environments: Environments,
  spec: JsonObject,
  index: number,
): readonly Validation[] {
  const path = ['spec', 'validations', index]
  const text = asObject(asList(spec.validations)[index])
  const places = compilePlaces(context, environments, path, text)
  const environment = environmentOf(environments, text)
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

/** Compiles `spec.defaults[index]`. */
export function compileDefault(
  context: CompileContext,
  environments: Environments,
  spec: JsonObject,
  index: number,
): readonly DefaultRule[] {
  const path = ['spec', 'defaults', index]
  const text = asObject(asList(spec.defaults)[index])
  const places = compilePlaces(context, environments, path, text)
  const environment = environmentOf(environments, text)
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

function compilePlaces(context: CompileContext, environments: Environments, path: FieldPath, text: JsonObject): Places {
  const forEach = pathsOf(text).flatMap((source, index) => {
    const at = typeof text.forEach === 'string' ? [...path, 'forEach'] : [...path, 'forEach', index]
    return compilePath(context, at, source)
  })
  const when =
    typeof text.when === 'string'
      ? compileExpression(context, environmentOf(environments, text), [...path, 'when'], text.when, ['bool'])
      : undefined
  return { forEach, when }
}

function pathsOf({ forEach }: JsonObject): readonly string[] {
  return typeof forEach === 'string' ? [forEach] : strings(forEach)
}

/** A rule that walks sees `target`, also where its path does not compile. */
function environmentOf(environments: Environments, text: JsonObject): CelEnvironment {
  return pathsOf(text).length > 0 ? environments.targeted : environments.whole
}

function compilePath(context: CompileContext, path: FieldPath, source: string): readonly WalkedPath[] {
  const outcome = compileJsonPath(source)
  if (outcome.ok) return [{ text: source, select: outcome.select, steps: outcome.steps }]
  const { line, column } = context.document.locateInScalar(path, outcome.offset)
  const message = `JSONPath "${source}": ${outcome.message}`
  context.issues.push({ code: 'POLICY-PATH', file: context.file, line, column, message })
  return []
}

function compileFix(
  context: CompileContext,
  environment: CelEnvironment,
  path: FieldPath,
  validation: JsonObject,
  index: number,
): readonly FixStep[] {
  const step = asObject(asList(validation.fix)[index])
  const field = compileField(context, [...path, 'path'], step.path)
  if (field.length === 0 && pathsOf(validation).length === 0) {
    report(
      context,
      'POLICY-SHAPE',
      [...path, 'path'],
      'a fix cannot replace the whole object; write the path of a field',
    )
    return []
  }
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

function compileField(context: CompileContext, path: FieldPath, text: Json | undefined): FieldPath {
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

function string(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
