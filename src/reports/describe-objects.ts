import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

import { applyJsonPatch } from '../kube/apply-patch.ts'
import type { Json } from '../kube/json.ts'
import type { JsonPatch } from '../kube/json-patch.ts'
import type { ObjectRef } from '../kube/object.ts'
import type { SourceText } from '../sources/manifests.ts'
import type { CheckedObject } from './check-documents.ts'
import { rewriteText } from './rewrite-text.ts'

/** What would become of one object: an entry of `objects[]` in the answer to `POST /dry-run`. */
export interface ObjectReport {
  readonly object: ObjectRef
  readonly allowed: boolean
  /** Indexes into the report's findings. */
  readonly findings: readonly number[]
  readonly patch: JsonPatch
  /** From the text that was sent to the text with the patch applied, as a unified diff; empty without a patch. */
  readonly diff: string
  readonly filled: readonly { readonly field: string; readonly value: Json; readonly code: string }[]
}

/** The decisions of a check, object by object. `texts` are the ones that the objects were read from. */
export function describeObjects(
  objects: readonly CheckedObject[],
  texts: readonly SourceText[],
): readonly ObjectReport[] {
  const byFile = new Map(texts.map(({ file, text }) => [file, text]))
  const reports: ObjectReport[] = []
  let next = 0
  for (const checked of objects) {
    const { decision, findings } = checked
    const first = next
    next += findings.length
    reports.push({
      object: checked.ref,
      allowed: decision.allowed,
      findings: findings.map((_, index) => first + index),
      patch: decision.patch,
      diff: diffOf(checked, byFile.get(checked.manifest.place.file) ?? ''),
      filled: decision.filled.map(({ field, value, code }) => ({ field, value, code })),
    })
  }
  return reports
}

function diffOf({ manifest, decision }: CheckedObject, text: string): string {
  const object = decision.patch.length === 0 ? undefined : applyJsonPatch(manifest.object, decision.patch)
  if (object === undefined) return ''
  return unifiedDiff(manifest.place.file, text, rewriteText(text, [{ manifest, object }]).text)
}

/** A unified diff that `patch` and `git apply` take; empty where nothing differs. */
export function unifiedDiff(file: string, before: string, after: string): string {
  if (before === after) return ''
  const name = file === '-' || file === '' ? 'manifest.yaml' : file.replace(/^\.?\//, '')
  return createTwoFilesPatch(`a/${name}`, `b/${name}`, before, after, '', '', {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })
}
