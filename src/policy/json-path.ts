import { JSONPath } from 'jsonpath-plus'

import type { FieldPath, Segment } from '../kube/field-path.ts'
import { isList, isObject, own, type Json } from '../kube/json.ts'

/** A place in an object that a path picked, with the value that stands there. */
export interface Target {
  readonly path: FieldPath
  readonly value: Json
}

/** A compiled `forEach`: every place of an object that it picks, in document order. Null counts as absent. */
export type TargetSelector = (root: Json) => readonly Target[]

export type JsonPathOutcome =
  | {
      readonly ok: true
      readonly select: TargetSelector
      /** The first field names of the path, as far as they are fixed: what must exist for it to pick anything. */
      readonly normalised: string
    }
  | { readonly ok: false; readonly offset: number; readonly message: string }

type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'any' }

/**
 * Compiles one JSONPath. Fields, indexes and wildcards become direct accessors (0.1 µs against 0.7 µs and more);
 * unions, slices and `..` go to jsonpath-plus. Filters and scripts are refused: filtering is CEL's, in `when`.
 */
export function compileJsonPath(text: string): JsonPathOutcome {
  const tokens = tokenize(text)
  if (!tokens.ok) return tokens
  const steps = tokens.steps
  if (steps === undefined) return { ok: true, select: (root) => viaLibrary(text, root), normalised: text }
  const normalised = `$${steps.map(formatStep).join('')}`
  return { ok: true, select: (root) => walk(root, steps), normalised }
}

function walk(root: Json, steps: readonly Step[]): readonly Target[] {
  const found: Target[] = []
  descend(root, 0, [])
  return found

  function descend(value: Json | undefined, depth: number, path: FieldPath): void {
    if (value === undefined || value === null) return
    const step = steps[depth]
    if (step === undefined) {
      found.push({ path, value })
      return
    }
    switch (step.kind) {
      case 'key':
        if (isObject(value)) descend(own(value, step.key), depth + 1, [...path, step.key])
        return
      case 'index':
        if (isList(value)) descend(value[step.index], depth + 1, [...path, step.index])
        return
      case 'any':
        if (isList(value)) value.forEach((item, index) => descend(item, depth + 1, [...path, index]))
        else if (isObject(value)) {
          for (const key of Object.keys(value)) descend(value[key], depth + 1, [...path, key])
        }
    }
  }
}

function viaLibrary(text: string, root: Json): readonly Target[] {
  if (typeof root !== 'object' || root === null) return []
  const pointers: unknown = JSONPath({ path: text, json: root, resultType: 'pointer', eval: false, wrap: true })
  if (!isList(pointers)) return []
  const found: Target[] = []
  for (const pointer of pointers) {
    if (typeof pointer !== 'string') continue
    const target = resolve(root, pointer)
    if (target !== undefined) found.push(target)
  }
  return found
}

function resolve(root: Json, pointer: string): Target | undefined {
  const path: Segment[] = []
  let value: Json | undefined = root
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    const segment = isList(value) ? Number(key) : key
    value = isList(value) ? value[Number(key)] : isObject(value) ? own(value, key) : undefined
    path.push(segment)
  }
  return value === undefined || value === null ? undefined : { path, value }
}

/** The steps of a simple path; undefined where the path is valid but needs the library. */
type Tokens =
  | { readonly ok: true; readonly steps: readonly Step[] | undefined }
  | { readonly ok: false; readonly offset: number; readonly message: string }

function tokenize(text: string): Tokens {
  if (!text.startsWith('$'))
    return { ok: false, offset: 0, message: `a path starts with $, such as $.${text || 'spec'}` }
  const steps: Step[] = []
  let simple = true
  let offset = 1
  while (offset < text.length) {
    const rest = text.slice(offset)
    const match = DOT_STEP.exec(rest) ?? BRACKET_STEP.exec(rest)
    if (match === null) return { ok: false, offset, message: explain(rest) }
    const step = toStep(match.groups ?? {})
    if (step === undefined) simple = false
    else steps.push(step)
    offset += match[0].length
  }
  return { ok: true, steps: simple ? steps : undefined }
}

function toStep(groups: Readonly<Record<string, string | undefined>>): Step | undefined {
  const { descent, name, index, quoted, star } = groups
  if (descent === '..') return undefined
  if (star !== undefined) return { kind: 'any' }
  if (name !== undefined) return { kind: 'key', key: name }
  if (quoted !== undefined) return { kind: 'key', key: quoted }
  if (index !== undefined) return { kind: 'index', index: Number(index) }
  return undefined
}

function explain(rest: string): string {
  if (/^\.*\[\s*\??\(/.test(rest)) return 'a path only walks; write the condition in `when`, which is CEL'
  if (rest.startsWith('[')) return `"${rest.slice(0, 20)}" is no index, key, list of either, slice or [*]`
  return `"${rest.slice(0, 20)}" is no step; write .name, ['a name'], [0], [*] or ..name`
}

function formatStep(step: Step): string {
  switch (step.kind) {
    case 'key':
      return `.${step.key}`
    case 'index':
      return `[${step.index}]`
    case 'any':
      return '[*]'
  }
}

const DOT_STEP = /^(?<descent>\.\.?)(?:(?<star>\*)|(?<name>[A-Za-z_][\w-]*))/
const BRACKET_STEP =
  /^(?<descent>\.\.)?\[(?:(?<star>\*)|(?<index>\d+)|'(?<quoted>[^']*)'|(?:\d+|'[^']*')(?:\s*,\s*(?:\d+|'[^']*'))+|-?\d*:-?\d*(?::\d+)?)\]/
