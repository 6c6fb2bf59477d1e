import { escapePointer, formatPath, parseField, valueAt, type FieldPath, type Segment } from '../kube/field-path.ts'
import { asObject, equal, isList, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { JsonPatch } from '../kube/json-patch.ts'
import { annotationsOf, labelValue } from '../kube/object.ts'
import { FILLED_ANNOTATION } from './changed.ts'
import { OldPlaces } from './old-place.ts'

/** One default that was filled and still stands as it was filled. */
export interface FilledEntry {
  readonly field: string
  readonly value: Json
  readonly code: string
}

/** Annotations of an object may take 256 KiB together; a record of defaults is worth a thirty-second of that. */
const MOST_CHARACTERS = 8192

/** The entries of an object's annotation; damaged ones, which only a person can have made, are left out. */
export function readFilled(object: Json): readonly FilledEntry[] {
  const text = labelValue(annotationsOf(object), FILLED_ANNOTATION)
  if (text === undefined || text.length > 2 * MOST_CHARACTERS) return []
  const entries = parseJson(text)
  if (!isList(entries)) return []
  return entries.flatMap((entry) => {
    const { field, value, code } = asObject(entry)
    return typeof field === 'string' && typeof code === 'string' && value !== undefined ? [{ field, value, code }] : []
  })
}

/**
 * The entries that still hold for an object: those of its own annotation on CREATE, those of the old object's on
 * UPDATE, at the place where the field is now. An entry whose field a person has written since is gone.
 */
export function standingEntries(object: JsonObject, old: JsonObject | null): readonly FilledEntry[] {
  const source = old ?? object
  const entries = readFilled(source)
  if (entries.length === 0) return []
  const places = old === null ? undefined : new OldPlaces(old, object)
  return entries.flatMap((entry) => {
    const path = fieldIn(source, entry.field)
    const here = path === undefined || places === undefined ? path : places.find(path)
    if (here === undefined || !equal(valueAt(object, here), entry.value)) return []
    return [{ ...entry, field: formatPath(here) }]
  })
}

/** The operations that make the annotation say exactly these entries; none where it does already. */
export function annotationPatch(object: JsonObject, entries: readonly FilledEntry[]): JsonPatch {
  const present = labelValue(annotationsOf(object), FILLED_ANNOTATION)
  const path = `/metadata/annotations/${escapePointer(FILLED_ANNOTATION)}`
  if (entries.length === 0) return present === undefined ? [] : [{ op: 'remove', path }]
  const value = serialise(entries)
  if (value === present) return []
  if (!isObject(object.metadata)) return []
  if (isObject(object.metadata.annotations)) return [{ op: 'add', path, value }]
  return [{ op: 'add', path: '/metadata/annotations', value: { [FILLED_ANNOTATION]: value } }]
}

function serialise(entries: readonly FilledEntry[]): string {
  const ordered = [...entries].sort((a, b) => (a.field < b.field ? -1 : 1))
  let text = ''
  for (const [index, { field, value, code }] of ordered.entries()) {
    const entry = JSON.stringify({ field, value, code })
    if (text.length + entry.length > MOST_CHARACTERS)
      return `[${text},${JSON.stringify({ more: ordered.length - index })}]`
    text += `${text === '' ? '' : ','}${entry}`
  }
  return `[${text}]`
}

/** A field as text, as a path into an object: digits in brackets are a key where the object has a map there. */
export function fieldIn(root: Json, field: string): FieldPath | undefined {
  const parsed = parseField(field)
  if (parsed === undefined) return undefined
  const path: Segment[] = []
  let value: Json | undefined = root
  for (const segment of parsed) {
    const actual: Segment = typeof segment === 'number' && !isList(value) ? String(segment) : segment
    path.push(actual)
    value = value === undefined ? undefined : valueAt(value, [actual])
  }
  return path
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
