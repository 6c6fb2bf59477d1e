import { asObject, type Json, type JsonObject } from '../../kube/json.ts'
import type { ApiClient } from '../../sources/cluster/api-client.ts'
import { reasonOf } from '../../sources/cluster/list-pages.ts'

/** Who writes, in `metadata.managedFields`. */
const MANAGER = 'fieldManager=meshward'

/** Requests that hold up others: the API server answers these in milliseconds, or is not well. */
const TIMEOUT = 5000

/** The object at a path; undefined where there is none. Rejects where the API server says anything else. */
export async function readObject(api: ApiClient, path: string): Promise<JsonObject | undefined> {
  const { status, body } = await api.send('GET', path, { timeout: TIMEOUT })
  if (status === 404) return undefined
  if (status !== 200) throw new Error(refusal('GET', path, status, body))
  return asObject(body)
}

/**
 * Replaces an object by one that was made from what was read. False where somebody else was faster, or has deleted
 * it: read it again.
 */
export async function replaceObject(api: ApiClient, path: string, body: JsonObject): Promise<boolean> {
  const { status, body: answer } = await api.send('PUT', `${path}?${MANAGER}`, { body, timeout: TIMEOUT })
  if (status === 409 || status === 404) return false
  if (status !== 200) throw new Error(refusal('PUT', path, status, answer))
  return true
}

/** What an installation keeps in the cluster goes with its ClusterRole, which only Helm makes and removes. */
export interface Owner {
  readonly api: ApiClient
  /** The name of the ClusterRole. */
  readonly name: string
}

/**
 * Makes an object that belongs to the installation. Nothing is made where the ClusterRole is gone: the installation is
 * being removed, and what it made now would stay behind. Its owner is cluster-scoped since the garbage collector
 * never takes a cluster-scoped object for the sake of a namespaced one. False where nothing was made.
 */
export async function createOwned(owner: Owner, collection: string, object: JsonObject): Promise<boolean> {
  const role = await readObject(owner.api, `/apis/rbac.authorization.k8s.io/v1/clusterroles/${owner.name}`)
  const { uid, deletionTimestamp } = asObject(role?.metadata)
  if (typeof uid !== 'string' || deletionTimestamp !== undefined) return false
  const ownerReferences = [{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: owner.name, uid }]
  const body = { ...object, metadata: { ...asObject(object.metadata), ownerReferences } }
  const { status, body: answer } = await owner.api.send('POST', `${collection}?${MANAGER}`, { body, timeout: TIMEOUT })
  if (status === 409) return false
  if (status !== 201) throw new Error(refusal('POST', collection, status, answer))
  return true
}

function refusal(method: string, path: string, status: number, body: Json): string {
  return `the API server answered ${status} to ${method} ${path}: ${reasonOf(body)}`
}
