import type { FieldPath } from '../kube/field-path.ts'
import { asObject, isList, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { isKubeObject, type KubeObject } from '../kube/object.ts'
import { parseYamlDocuments, type Position, type YamlDocument } from '../kube/yaml-document.ts'
import type { InputError } from './input-error.ts'

/** A text that holds manifests, as it was read. */
export interface SourceText {
  /** As it is shown; `-` for standard input. */
  readonly file: string
  readonly text: string
  /** named: the person asked for this very text; found: it lay in a folder, so it may be no manifest at all. */
  readonly origin: 'named' | 'found'
}

/** One object of the API and the place where it is written. */
export interface Manifest {
  readonly object: KubeObject
  readonly place: ManifestPlace
  readonly document: YamlDocument
  /** The way from the document to the object: `[]`, or into the items of a List. */
  readonly path: FieldPath
}

export interface ManifestPlace {
  readonly file: string
  /** From 0, as in the file. */
  readonly document: number
  /** Its index in a List, where it is in one. */
  readonly item?: number
}

export interface ManifestsRead {
  readonly manifests: readonly Manifest[]
  readonly errors: readonly InputError[]
  /** What was passed over, one line each. */
  readonly notes: readonly string[]
}

/**
 * The objects in some texts, in order. A List (and any `*List`) counts as its items. A document that cannot be read is
 * an error in its place and the others are still read. `onText` is called after each text. Never throws.
 */
export function readManifests(texts: readonly SourceText[], onText: () => void = () => undefined): ManifestsRead {
  const manifests: Manifest[] = []
  const errors: InputError[] = []
  const notes: string[] = []
  for (const source of texts) {
    for (const outcome of parseYamlDocuments(source.text)) {
      if (!outcome.ok) {
        errors.push({ ...outcome.error, file: source.file, document: outcome.index })
        continue
      }
      for (const found of objectsOf(source, outcome.document)) {
        if (found.kind === 'object') manifests.push(found.manifest)
        else if (found.kind === 'error') errors.push(found.error)
        else notes.push(found.note)
      }
    }
    onText()
  }
  return { manifests, errors, notes }
}

/** The place of a field of the object, in its file; of a missing one that of its nearest existing parent. */
export function locateField(manifest: Manifest, path: FieldPath): Position {
  return manifest.document.locate([...manifest.path, ...path])
}

type Found =
  | { readonly kind: 'object'; readonly manifest: Manifest }
  | { readonly kind: 'error'; readonly error: InputError }
  | { readonly kind: 'note'; readonly note: string }

function objectsOf(source: SourceText, document: YamlDocument): readonly Found[] {
  const { value } = document
  if (isListKind(value)) return itemsOf(source, document, value, [])
  if (isKubeObject(value)) {
    const place = { file: source.file, document: document.index }
    return [{ kind: 'object', manifest: { object: value, place, document, path: [] } }]
  }
  if (source.origin === 'found') {
    const which = document.index === 0 ? '' : ` (document ${document.index})`
    return [
      { kind: 'note', note: `${source.file}${which}: no apiVersion and kind, so no Kubernetes object; passed over` },
    ]
  }
  const message = `${whatLacks(value)}; write apiVersion and kind, or leave this file out`
  return [{ kind: 'error', error: noObject(source, document, [], message) }]
}

/** The items of a list, each with a kind of its own or, in a typed list, the list's. Lists in lists are flattened too. */
function itemsOf(source: SourceText, document: YamlDocument, list: ListObject, path: FieldPath): readonly Found[] {
  return list.items.flatMap((item, index): readonly Found[] => {
    const itemPath = [...path, 'items', index]
    if (isListKind(item)) return itemsOf(source, document, item, itemPath)
    const object = withKindOf(list, item)
    const outermost = itemPath[1]
    const place = {
      file: source.file,
      document: document.index,
      ...(typeof outermost === 'number' ? { item: outermost } : {}),
    }
    if (isKubeObject(object)) {
      return [{ kind: 'object', manifest: { object, place, document, path: itemPath } }]
    }
    const message = `item ${index} of this ${list.kind}: ${whatLacks(object)}; write apiVersion and kind`
    return [{ kind: 'error', error: { ...noObject(source, document, itemPath, message), ...place } }]
  })
}

interface ListObject extends JsonObject {
  readonly kind: string
  readonly items: readonly Json[]
}

function isListKind(value: Json): value is ListObject {
  return isKubeObject(value) && value.kind.endsWith('List') && isList(value.items)
}

/** `PodList` leaves apiVersion and kind out of its items; `List` does not. */
function withKindOf(list: ListObject, item: Json): Json {
  if (!isObject(item) || list.kind === 'List' || item.kind !== undefined) return item
  return { apiVersion: list.apiVersion, kind: list.kind.slice(0, -'List'.length), ...item }
}

function whatLacks(value: Json): string {
  if (!isObject(value)) return 'this is no Kubernetes object'
  const { apiVersion, kind } = asObject(value)
  if (typeof apiVersion === 'string') return `an object of apiVersion "${apiVersion}" without kind`
  return typeof kind === 'string'
    ? `an object of kind "${kind}" without apiVersion`
    : 'an object without apiVersion and kind'
}

function noObject(source: SourceText, document: YamlDocument, path: FieldPath, message: string): InputError {
  return { code: 'DOC-08', file: source.file, document: document.index, ...document.locate(path), message }
}
