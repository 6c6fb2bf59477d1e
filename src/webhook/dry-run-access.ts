import type { Request } from 'express'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { AdmissionRequest } from '../engine/request.ts'
import { KINDS, type KindName } from '../mesh/kinds.ts'
import { buildInSlices, type MeshSnapshot } from '../mesh/snapshot.ts'
import { groupOf, type KubeObject } from '../kube/object.ts'
import { resourceOf } from '../kube/resource-names.ts'
import { failed, type Outcome } from './http-problem.ts'
import { isLoopback, loopbackProblem } from './loopback.ts'
import type { RateLimit } from './rate-limit.ts'
import type { Caller, Deed } from './cluster/api-access.ts'

/** Asks the API server who somebody is and what they may do. */
export interface Authority {
  readonly whoIs: (token: string) => Promise<Caller | undefined>
  readonly may: (caller: Caller, deed: Deed) => Promise<boolean>
}

export interface DryRunAccessOptions {
  /** The address of the listener. */
  readonly listensOn: () => string
  /** Undefined without a cluster. */
  readonly authority: Authority | undefined
  readonly limit: RateLimit
}

/** What one caller of the dry run may do and see. */
export interface Permissions {
  /** Not ok where the caller may not create one of these. */
  readonly judge: (requests: readonly AdmissionRequest[]) => Promise<Outcome<undefined>>
  /** The part of a mesh that the caller may read, for objects of these namespaces. */
  readonly view: (mesh: MeshSnapshot, namespaces: ReadonlySet<string>) => Promise<Outcome<View>>
}

export interface View {
  readonly mesh: MeshSnapshot
  /** Nothing was left out. */
  readonly whole: boolean
}

/**
 * Finds out what the sender of a request may do. A bearer token is always asked about; who has none is served on
 * loopback listeners only, since who is on this machine could as well run the command line. Never rejects.
 */
export type DryRunAccess = (request: Request) => Promise<Outcome<Permissions>>

export function createDryRunAccess({ listensOn, authority, limit }: DryRunAccessOptions): DryRunAccess {
  return async ({ headers }) => {
    const [, token] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
    if (authority === undefined || headers.authorization === undefined) {
      const address = listensOn()
      if (isLoopback(address)) return { ok: true, value: EVERYTHING }
      return authority === undefined ? { ok: false, problem: loopbackProblem(address) } : UNKNOWN
    }
    if (token === undefined) return UNKNOWN
    const caller = await asked(() => authority.whoIs(token))
    if (!caller.ok) return caller
    if (caller.value === undefined) return UNKNOWN
    return limit(caller.value.username) ? { ok: true, value: permissionsOf(caller.value, authority) } : TOO_OFTEN
  }
}

const EVERYTHING: Permissions = {
  judge: async () => ({ ok: true, value: undefined }),
  view: async (mesh) => ({ ok: true, value: { mesh, whole: true } }),
}

const UNKNOWN = failed(
  401,
  'the dry run has to know who asks. Send a token of this cluster, as `Authorization: Bearer $(kubectl create token NAME)`.',
)

const TOO_OFTEN: Outcome<never> = {
  ok: false,
  problem: {
    status: 429,
    message: 'more dry runs than one caller may ask for at once. Try again in a few seconds.',
    headers: { 'Retry-After': '2' },
  },
}

/** Each is a question to the API server, and so is each kind in each of their namespaces. */
const MOST_DEEDS = 50

const TOO_MANY = failed(400, `there are more than ${MOST_DEEDS} pairs of a kind and a namespace. Send them in parts.`)

function permissionsOf(caller: Caller, { may }: Authority): Permissions {
  return {
    judge: async (requests) => {
      const deeds = new Map(requests.map(creation).map((deed) => [JSON.stringify(deed), deed]))
      if (deeds.size > MOST_DEEDS) return TOO_MANY
      const answers = await asked(() => Promise.all([...deeds.values()].map((deed) => may(caller, deed))))
      if (!answers.ok) return answers
      const denied = [...deeds.values()].find((_, index) => answers.value[index] !== true)
      return denied === undefined ? { ok: true, value: undefined } : failed(403, refusal(caller, denied))
    },
    view: (mesh, namespaces) => asked(() => visiblePart(mesh, namespaces, (deed) => may(caller, deed))),
  }
}

function creation({ resource: { group, resource }, namespace }: AdmissionRequest): Deed {
  return { verb: 'create', group, resource, namespace }
}

function refusal({ username }: Caller, { group, resource, namespace }: Deed): string {
  const what = group === '' ? resource : `${resource}.${group}`
  const where = namespace === '' ? '' : ` in namespace "${namespace}"`
  return `"${username}" may not create ${what}${where}, so what would become of one is not shown. Ask for that right, or leave it out.`
}

/** The objects that may be listed in all namespaces or, where that is too much to ask, in these. */
async function visiblePart(
  mesh: MeshSnapshot,
  namespaces: ReadonlySet<string>,
  may: (deed: Deed) => Promise<boolean>,
): Promise<View> {
  const asked = [...new Set([...namespaces, mesh.istioNamespace])].filter((name) => name !== '')
  const parts = await Promise.all(mesh.kinds().map((kind) => visibleOfKind(mesh, kind, asked, may)))
  if (parts.every((part) => part === 'all')) return { mesh, whole: true }
  const objects = mesh.kinds().flatMap((kind, index) => {
    const part = parts[index]
    return part === 'all' ? mesh.all(kind) : (part ?? [])
  })
  return { mesh: await buildBetweenTurns(objects, mesh.istioNamespace), whole: false }
}

async function visibleOfKind(
  mesh: MeshSnapshot,
  kind: KindName,
  namespaces: readonly string[],
  may: (deed: Deed) => Promise<boolean>,
): Promise<'all' | readonly KubeObject[]> {
  const [sample] = mesh.all(kind)
  if (sample === undefined) return 'all'
  const group = groupOf(sample)
  const { resource } = resourceOf(group, sample.kind)
  if (await may({ verb: 'list', group, resource, namespace: '' })) return 'all'
  const parts = namespaces.map(async (namespace) => {
    const one = kind === KINDS.namespace ? mesh.namespace(namespace) : undefined
    if (one !== undefined) return (await may({ verb: 'get', group, resource, namespace, name: namespace })) ? [one] : []
    return (await may({ verb: 'list', group, resource, namespace })) ? mesh.inNamespace(kind, namespace) : []
  })
  return (await Promise.all(parts)).flat()
}

/** Admission requests are answered between the slices. */
async function buildBetweenTurns(objects: readonly KubeObject[], istioNamespace: string): Promise<MeshSnapshot> {
  const slices = buildInSlices(objects, { istioNamespace })
  for (;;) {
    const step = slices.next()
    if (step.done === true) return step.value
    await nextTurn()
  }
}

/** The API server may be out of reach, which is nobody's permission. */
async function asked<T>(question: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await question() }
  } catch {
    return failed(503, 'the API server cannot be asked who you are and what you may do. Try again in a moment.')
  }
}
