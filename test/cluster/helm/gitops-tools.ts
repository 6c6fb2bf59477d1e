import { asObject, equal, isObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import type { Kubectl } from '../harness/kubectl.ts'

// What GitOps tools compare to see whether the cluster has drifted, as their documentation and sources describe it.

/**
 * Argo CD as it is: the object that a JSON merge patch of what Git holds would make of the live one. Maps are merged and
 * lists replaced; what the last apply held and Git no longer does is removed.
 */
export function argoPrediction(live: JsonObject, desired: JsonObject): JsonObject {
  return merged(live, desired, lastApplied(live) ?? desired)
}

function merged(live: JsonObject, desired: JsonObject, before: JsonObject): JsonObject {
  const kept = Object.entries(live).filter(([key]) => !(key in before) || key in desired)
  const written = Object.entries(desired).map(([key, value = null]): [string, Json] => {
    const there = live[key]
    return [key, isObject(value) && isObject(there) ? merged(there, value, asObject(before[key])) : value]
  })
  return Object.fromEntries([...kept, ...written])
}

/** Without the namespace and empty annotations, which kubectl adds and Argo CD disregards. */
function lastApplied(live: JsonObject): JsonObject | undefined {
  const text = asObject(asObject(live['metadata'])['annotations'])['kubectl.kubernetes.io/last-applied-configuration']
  if (typeof text !== 'string') return undefined
  const object: unknown = JSON.parse(text)
  const { namespace: _namespace, annotations = {}, ...metadata } = asObject(asObject(object)['metadata'])
  const written = Object.keys(asObject(annotations)).length > 0 ? { ...metadata, annotations } : metadata
  return { ...asObject(object), metadata: written }
}

/**
 * Argo CD with `ServerSideDiff=true`, and Flux: the object that a forced server-side apply by their manager would store.
 * Webhooks take part in it. Rejects when that is refused.
 */
export async function dryRunPrediction(
  kubectl: Kubectl,
  { manager, manifest, namespace }: { readonly manager: string; readonly manifest: string; readonly namespace: string },
): Promise<readonly JsonObject[]> {
  const apply = ['apply', '-n', namespace, '--server-side', '--force-conflicts', `--field-manager=${manager}`]
  const { code, stdout, stderr } = await kubectl([...apply, '--dry-run=server', '-o', 'json', '-f', '-'], {
    stdin: manifest,
  })
  if (code !== 0) throw new Error(stderr)
  return itemsOf(stdout)
}

/** Whether the comparison shows a difference: everything but what the server keeps about the object counts. */
export function differs(live: JsonObject, predicted: JsonObject): boolean {
  return !equal(withoutBookkeeping(live), withoutBookkeeping(predicted))
}

function withoutBookkeeping({ metadata, ...rest }: JsonObject): JsonObject {
  const { managedFields: _managed, resourceVersion: _version, ...kept } = asObject(metadata)
  return { ...rest, metadata: kept }
}

/** The objects that kubectl printed as JSON: one, or a List. */
export function itemsOf(output: string): readonly JsonObject[] {
  const printed: unknown = JSON.parse(output)
  const { items } = asObject(printed)
  return Array.isArray(items) ? items.map(asObject) : [asObject(printed)]
}
