import { setValue } from '../engine/set-value.ts'
import { equal, type Json, type JsonObject } from '../kube/json.ts'
import { applySplices, rewriteSource, type Splice } from '../kube/rewrite-source.ts'
import { parseYamlDocuments, type YamlDocument } from '../kube/yaml-document.ts'
import type { Manifest } from '../sources/manifests.ts'

/** An object that a text should hold in the place of the one it has. */
export interface ObjectChange {
  readonly manifest: Manifest
  readonly object: JsonObject
}

export interface RewrittenText {
  readonly text: string
  /** Changes that cannot be written in place, since they would change something else too (an anchor that is shared). */
  readonly refused: readonly ObjectChange[]
}

/**
 * The text with some of its objects changed, and nothing else: comments, order and quoting stay. All changes must be of
 * this text. What comes out is read again and compared; a change that does not come out as it should is left out.
 */
export function rewriteText(text: string, changes: readonly ObjectChange[]): RewrittenText {
  const documents = new Map<YamlDocument, ObjectChange[]>()
  for (const change of changes) {
    const { manifest } = change
    if (equal(manifest.object, change.object)) continue
    documents.set(manifest.document, [...(documents.get(manifest.document) ?? []), change])
  }
  if (documents.size === 0) return { text, refused: [] }
  const edits = [...documents].map(([document, changed]) => editOf(text, document, changed))
  const all = attempt(text, edits)
  if (all !== undefined) return { text: all, refused: [] }
  return oneByOne(text, edits)
}

/** The changes of one document. */
interface Edit {
  readonly document: YamlDocument
  readonly value: Json
  readonly splices: readonly Splice[]
  readonly changes: readonly ObjectChange[]
}

function editOf(text: string, document: YamlDocument, changes: readonly ObjectChange[]): Edit {
  let { value } = document
  for (const { manifest, object } of changes) value = setValue(value, manifest.path, object)
  return { document, value, splices: rewriteSource(text, document.root, value), changes }
}

/** The text after some edits, if it then says exactly what it should. */
function attempt(text: string, edits: readonly Edit[]): string | undefined {
  const inOrder = edits.toSorted((a, b) => a.document.root.start - b.document.root.start)
  const result = applySplices(
    text,
    inOrder.flatMap(({ splices }) => splices),
  )
  const wanted = new Map(edits.map(({ document, value }) => [document.index, value]))
  const before = parseYamlDocuments(text)
  const after = parseYamlDocuments(result)
  if (before.length !== after.length) return undefined
  for (const [index, outcome] of after.entries()) {
    const old = before[index]
    if (!outcome.ok || old?.ok !== true) {
      if (outcome.ok || old?.ok !== false) return undefined
      continue
    }
    if (!equal(outcome.document.value, wanted.get(index) ?? old.document.value)) return undefined
  }
  return result
}

function oneByOne(text: string, edits: readonly Edit[]): RewrittenText {
  const accepted: Edit[] = []
  const refused: ObjectChange[] = []
  let result = text
  for (const edit of edits) {
    const next = attempt(text, [...accepted, edit])
    if (next === undefined) refused.push(...edit.changes)
    else {
      accepted.push(edit)
      result = next
    }
  }
  return { text: result, refused }
}
