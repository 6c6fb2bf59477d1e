import { accessTo, type PortAccess } from '../access.ts'
import { authorizationFor } from '../authorization.ts'
import { KINDS } from '../kinds.ts'
import { effectiveMtls, type EffectiveMtls } from '../peer-authentication.ts'
import { policiesFor } from '../policy-attachment.ts'
import type { Workload } from '../workloads.ts'
import type { Reached, Transport } from './arrival.ts'
import type { Delivery } from './call.ts'
import { walkPolicies } from './policies.ts'
import { answered, fails, objectName, step, unknown, type Decider, type Ending, type Walk } from './step.ts'

/** What a pod with a sidecar makes of a request: the transport first, then tokens and policies. */
export function* walkSidecar(delivery: Delivery, workload: Workload, { endpoint, transport }: Reached): Walk {
  const { snapshot } = delivery
  const { port } = endpoint
  const mtls = effectiveMtls(snapshot, workload, port)
  yield step('server', `port ${port} is ${mtls.mode}: it takes ${ACCEPTS[mtls.mode]}`, deciderOf(mtls))
  const misfit = misfitOf(delivery, transport, mtls)
  if (misfit !== undefined) return misfit
  const access = accessTo(snapshot, workload).find((candidate) => candidate.port.number === port)
  return access === undefined
    ? unlistedPort(delivery, workload, port)
    : yield* walkAccess(delivery, workload, access, transport)
}

function* walkAccess(delivery: Delivery, workload: Workload, access: PortAccess, transport: Transport): Walk {
  const { snapshot, client, identity, because } = delivery
  const [ip = ''] = client.addresses
  const [address = ''] = workload.addresses
  const { port, rules } = access
  const isHttp = port.filters === 'http'
  return yield* walkPolicies({
    rules,
    allowing: authorizationFor(snapshot, workload).ALLOW,
    authentications: isHttp ? policiesFor(snapshot, KINDS.requestAuthentication, workload) : [],
    request: { ...delivery.request, principal: isIdentified(transport) ? identity : undefined, ip },
    who: isIdentified(transport) ? identity : `a client without an identity: it speaks plaintext${because}`,
    port: port.number,
    address,
    identity: 'known',
    refusedAs: isHttp ? '403' : 'connection reset',
  })
}

/** A port that no service leads to is judged as TCP, which the model does not do. */
function unlistedPort({ snapshot }: Delivery, workload: Workload, port: number): Ending {
  const [policy] = Object.values(authorizationFor(snapshot, workload)).flat()
  if (policy === undefined) return answered('an answer', 'no policy forbids it')
  const why = `port ${port} is in no Service; what ${objectName(policy)} makes of it is not worked out`
  return unknown(why, { object: policy, field: 'spec' })
}

/** How a transport breaks at a port, if it does. istio: networking/core/listener_builder.go, the filter chains of an inbound port. */
function misfitOf(
  { brokenAs, cause, because }: Delivery,
  transport: Transport,
  mtls: EffectiveMtls,
): Ending | undefined {
  const { mode } = mtls
  const by = cause ?? deciderOf(mtls)
  switch (transport) {
    case 'hbone':
      return undefined
    case 'mtls':
      return mode === 'DISABLE'
        ? fails(brokenAs, 'the client speaks mTLS; the server takes plaintext only', by)
        : undefined
    case 'plaintext':
      if (mode !== 'STRICT') return undefined
      return fails(
        brokenAs,
        `the client speaks plaintext${because}; the server takes mTLS only and resets the connection`,
        by,
      )
    case 'tls':
      return mode === 'STRICT'
        ? fails(brokenAs, 'the client speaks TLS without an identity; the server takes mTLS only', by)
        : unknown('it takes an application that serves TLS itself on that port', by)
  }
}

function isIdentified(transport: Transport): boolean {
  return transport === 'mtls' || transport === 'hbone'
}

function deciderOf({ object, field }: EffectiveMtls): Decider | undefined {
  return object === undefined ? undefined : { object, field }
}

const ACCEPTS = { STRICT: 'mTLS only', PERMISSIVE: 'mTLS and plaintext', DISABLE: 'plaintext only' } as const
