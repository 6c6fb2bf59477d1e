import { asObject, isList } from '../../kube/json.ts'
import { resourceOf } from '../../kube/resource-names.ts'
import { splitKindName, type KindName } from '../../mesh/kinds.ts'
import type { ApiClient } from './api-client.ts'

/** Where the API server keeps the objects of a kind. */
export interface ResourceLocation {
  readonly kind: string
  /** `networking.istio.io/v1`. */
  readonly apiVersion: string
  /** `/apis/networking.istio.io/v1/virtualservices`: the collection, over all namespaces or in one. */
  readonly path: string
}

/**
 * Finds the collection of a kind in the version the API server prefers. Undefined where it has none: the CRD is not
 * installed (yet). Rejects where the API server does not answer.
 */
export async function locateResource(
  api: ApiClient,
  name: KindName,
  namespace?: string,
): Promise<ResourceLocation | undefined> {
  const { group, kind } = splitKindName(name)
  const { resource } = resourceOf(group, kind)
  const collection = namespace === undefined ? resource : `namespaces/${namespace}/${resource}`
  if (group === '') return { kind, apiVersion: 'v1', path: `/api/v1/${collection}` }
  for (const apiVersion of await versionsOf(api, group)) {
    const { status, body } = await api.send('GET', `/apis/${apiVersion}`)
    if (status === 404) continue
    const { resources } = asObject(body)
    if (status !== 200 || !isList(resources)) throw refused(status, `the resources of ${apiVersion}`)
    const served = resources.some((item) => asObject(item).name === resource)
    if (served) return { kind, apiVersion, path: `/apis/${apiVersion}/${collection}` }
  }
  return undefined
}

/** The served versions of a group, the preferred one first. */
async function versionsOf(api: ApiClient, group: string): Promise<readonly string[]> {
  const { status, body } = await api.send('GET', `/apis/${group}`)
  if (status === 404) return []
  const { preferredVersion, versions } = asObject(body)
  // Something else, of a proxy perhaps, must not look like a CRD that is not installed.
  if (status !== 200 || !isList(versions)) throw refused(status, `the versions of ${group}`)
  const all = [preferredVersion ?? null, ...versions].map((version) => asObject(version).groupVersion)
  return [...new Set(all.filter((version) => typeof version === 'string'))]
}

function refused(status: number, what: string): Error {
  const answer = status === 200 ? 'something else' : String(status)
  return new Error(`the API server answered ${answer} when asked for ${what}`, { cause: status })
}
