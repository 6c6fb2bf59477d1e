import { asList, asObject, type JsonObject } from '../../kube/json.ts'
import type { ApiClient } from '../../sources/cluster/api-client.ts'

/** Who a token belongs to, as the API server says. */
export interface Caller {
  readonly username: string
  /** `status.user` of the TokenReview, whole: what authorizers are asked about. */
  readonly user: JsonObject
}

/** What a caller would do. An empty namespace: in all of them, or with what is in none. */
export interface Deed {
  readonly verb: 'create' | 'list' | 'get'
  readonly group: string
  readonly resource: string
  readonly namespace: string
  readonly name?: string
}

/** Whose token is this? Undefined where the API server does not take it. Rejects where it cannot be asked. */
export async function whoIs(api: ApiClient, token: string): Promise<Caller | undefined> {
  const { authenticated, user } = await review(api, 'authentication.k8s.io', 'TokenReview', { token })
  const { username } = asObject(user)
  if (authenticated !== true || typeof username !== 'string') return undefined
  return { username, user: asObject(user) }
}

/** May this caller do that? Rejects where the API server cannot be asked. */
export async function may(api: ApiClient, { username, user }: Caller, deed: Deed): Promise<boolean> {
  const { groups, uid, extra } = user
  const { allowed } = await review(api, 'authorization.k8s.io', 'SubjectAccessReview', {
    user: username,
    groups: asList(groups),
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
    resourceAttributes: { ...deed },
  })
  return allowed === true
}

async function review(
  api: ApiClient,
  group: string,
  kind: 'TokenReview' | 'SubjectAccessReview',
  spec: JsonObject,
): Promise<JsonObject> {
  const path = `/apis/${group}/v1/${kind.toLowerCase()}s`
  const { status, body } = await api.send('POST', path, {
    body: { apiVersion: `${group}/v1`, kind, spec },
    timeout: 5000,
  })
  if (status !== 201) throw new Error(`the API server answered ${status} to a ${kind}`)
  return asObject(asObject(body).status)
}
