import { escapePointer, formatPath, parseField, valueAt, type FieldPath, type Segment } from '../kube/field-path.ts'
import { asList, asObject, equal, isList, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { JsonPatch } from '../kube/json-patch.ts'
import { annotationsOf, labelValue } from '../kube/object.ts'
import { FILLED_ANNOTATION } from './changed.ts'
import type { Filled } from './decision.ts'
import { OldPlaces } from './old-place.ts'
import { removeValue } from './set-value.ts'

/** One default that was filled and still stands as it was filled. */
export interface FilledEntry {
  readonly field: string
  readonly value: Json
  readonly code: string
}

/** Annotations of an object may take 256 KiB together; a record of defaults is worth a thirty-second of that. */
const MOST_CHARACTERS = 8192

/** What an annotation records: `more` entries found no room in it. */
export interface FilledRecord {
  readonly entries: readonly FilledEntry[]
  readonly more: number
}

/** The record in an object's annotation; damaged entries, which only a person can have made, are left out. */
export function readFilled(object: Json): FilledRecord {
  const text = annotationOf(object)
  const items = asList(text === undefined || text.length > 2 * MOST_CHARACTERS ? undefined : parseJson(text))
  const entries = items.flatMap((item) => {
    const { field, value, code } = asObject(item)
    return typeof field === 'string' && typeof code === 'string' && value !== undefined ? [{ field, value, code }] : []
  })
  const { more } = asObject(items.at(-1))
  return { entries, more: typeof more === 'number' && more > 0 ? more : 0 }
}

/**
 * The record of an object whose absent fields were `filled`: what its annotation says and still holds on CREATE, what
 * the old object's says on UPDATE, at the places where the fields are now, and what was filled. An entry whose field a
 * person has written since is gone.
 */
export function recordOf(object: JsonObject, old: JsonObject | null, filled: readonly Filled[]): FilledRecord {
  const { entries, more } = old === null ? ownRecord(object) : updatedRecord(object, old)
  const byField = new Map(entries.map((entry) => [entry.field, entry]))
  for (const { field, path, value, code } of filled) {
    // A key may read as something else in the text of a field; what cannot be found again is not recorded.
    if (samePath(fieldIn(object, field), path)) byField.set(field, { field, value, code })
  }
  // What found no room is counted anew where it was filled again, as when a tool applied its manifest.
  return { entries: [...byField.values()], more: filled.some(({ restored }) => restored) ? 0 : more }
}

/** What an object's own annotation says and still holds. */
function ownRecord(object: JsonObject): FilledRecord {
  const { entries, more } = readFilled(object)
  return { entries: entries.filter((entry) => equal(valueOf(object, entry.field), entry.value)), more }
}

/**
 * What the old object's annotation says, where it is now. The new object's own is as a rule a copy of that, whose
 * places may be out of date; where it is another, we wrote it ourselves a moment ago: a mutation may come twice.
 */
function updatedRecord(object: JsonObject, old: JsonObject): FilledRecord {
  const own = annotationOf(object) === annotationOf(old) ? undefined : ownRecord(object)
  // A record that is full has no room for what it left out the first time.
  if (own !== undefined && own.more > 0) return own
  const { entries, more } = readFilled(old)
  const places = entries.length === 0 ? undefined : new OldPlaces(old, object)
  const moved = entries.flatMap((entry) => {
    const path = fieldIn(old, entry.field)
    const here = path === undefined ? undefined : places?.find(path)
    if (here === undefined || !equal(valueAt(object, here), entry.value)) return []
    return [{ ...entry, field: formatPath(here) }]
  })
  return { entries: [...moved, ...(own?.entries ?? [])], more: own === undefined ? more : 0 }
}

/**
 * The new object as somebody sent it: without what we filled in it a moment ago, when a mutation comes twice. What was
 * filled would else make items alike that are not.
 */
export function asSent(object: JsonObject, old: JsonObject): JsonObject {
  if (annotationOf(object) === annotationOf(old)) return object
  const paths = ownRecord(object).entries.map(({ field }) => fieldIn(object, field))
  return paths.reduce<JsonObject>(
    (rest, path) => (path === undefined ? rest : asObject(withoutField(rest, path))),
    object,
  )
}

/** Without a field, and without the objects that it leaves empty. */
function withoutField(root: Json, path: FieldPath): Json {
  const rest = removeValue(root, path)
  const parent = path.slice(0, -1)
  const left = valueAt(rest, parent)
  const isEmpty = isObject(left) && Object.keys(left).length === 0
  return isEmpty && typeof parent.at(-1) === 'string' ? withoutField(rest, parent) : rest
}

/** The operations that make the annotation say exactly this record; none where it does already. */
export function annotationPatch(object: JsonObject, record: FilledRecord): JsonPatch {
  const present = annotationOf(object)
  const path = `/metadata/annotations/${escapePointer(FILLED_ANNOTATION)}`
  if (record.entries.length === 0 && record.more === 0) return present === undefined ? [] : [{ op: 'remove', path }]
  const value = serialise(record)
  if (value === present) return []
  if (!isObject(object.metadata)) return []
  const { annotations } = object.metadata
  if (isObject(annotations)) return [{ op: 'add', path, value }]
  // Annotations of another type are the person's own mistake, which the API server names.
  if (annotations !== undefined && annotations !== null) return []
  return [{ op: 'add', path: '/metadata/annotations', value: { [FILLED_ANNOTATION]: value } }]
}

function serialise({ entries, more }: FilledRecord): string {
  const ordered = entries.toSorted((a, b) => (a.field < b.field ? -1 : 1))
  const written: string[] = []
  let length = 0
  for (const { field, value, code } of ordered) {
    const text = JSON.stringify({ field, value, code })
    length += text.length + 1
    if (length > MOST_CHARACTERS) break
    written.push(text)
  }
  const left = ordered.length - written.length + more
  return `[${[...written, ...(left > 0 ? [JSON.stringify({ more: left })] : [])].join(',')}]`
}

/** A field as text, as a path into an object: digits in brackets are a key where the object has a map there. */
function fieldIn(root: Json, field: string): FieldPath | undefined {
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

function annotationOf(object: Json): string | undefined {
  return labelValue(annotationsOf(object), FILLED_ANNOTATION)
}

function valueOf(object: JsonObject, field: string): Json | undefined {
  const path = fieldIn(object, field)
  return path === undefined ? undefined : valueAt(object, path)
}

function samePath(a: FieldPath | undefined, b: FieldPath): boolean {
  return a !== undefined && a.length === b.length && a.every((segment, index) => segment === b[index])
}
