import { asObject, type Json } from '../../kube/json.ts'
import { readKindSchemas, type KindSchema } from '../../kube/kind-schema.ts'
import type { ApiClient } from './api-client.ts'

/** Milliseconds for one document: the largest, of the core group, has 3 MiB. */
const TIMEOUT = 5_000

/**
 * The schemas of the kinds of some API groups, in all versions that the API server has, by its `/openapi/v3`, which
 * every authenticated client may read. A group that it does not have has none. Rejects where it cannot be asked.
 */
export async function readClusterSchemas(api: ApiClient, groups: ReadonlySet<string>): Promise<readonly KindSchema[]> {
  const { paths } = asObject(await get(api, '/openapi/v3'))
  const schemas: KindSchema[] = []
  for (const path of Object.keys(asObject(paths))) {
    const group = groupOfPath(path)
    // One after the other: nobody waits for the sum, and the API server has other work.
    if (group !== undefined && groups.has(group))
      schemas.push(...readKindSchemas(await get(api, `/openapi/v3/${path}`)))
  }
  return schemas
}

/** `apis/apps/v1` and `api/v1` are documents of a version; `apis/apps` and `version` are not. */
function groupOfPath(path: string): string | undefined {
  return path === 'api/v1' ? '' : /^apis\/([^/]+)\/[^/]+$/.exec(path)?.[1]
}

async function get(api: ApiClient, path: string): Promise<Json> {
  const { status, body } = await api.send('GET', path, { timeout: TIMEOUT })
  if (status === 200) return body
  throw new Error(`the API server answers ${path} with ${status}`)
}
