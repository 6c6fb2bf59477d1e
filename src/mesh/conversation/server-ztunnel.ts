import type { EffectiveMtls } from '../peer-authentication.ts'
import type { Workload } from '../workloads.ts'
import {
  effectiveAmbientMtls,
  isOfPeer,
  judgeConnection,
  ztunnelPoliciesFor,
  type ConnectionVerdict,
} from '../ztunnel-access.ts'
import type { ZtunnelPolicy } from '../ztunnel-policy.ts'
import type { Reached } from './arrival.ts'
import type { Delivery } from './call.ts'
import { answered, fails, step, unknown, type Decider, type Ending, type Walk } from './step.ts'

/** What ztunnel makes of a connection to a port of a captured pod. */
export function* walkZtunnel(delivery: Delivery, workload: Workload, { endpoint, transport }: Reached): Walk {
  const { port } = endpoint
  const { snapshot, client, identity, brokenAs, cause } = delivery
  const mtls = effectiveAmbientMtls(snapshot, workload, port)
  yield step('server', `port ${port} of a pod in ambient ${acceptance(mtls)}`, peerDecider(mtls))
  if (transport === 'tls') return unknown('it takes an application that serves TLS itself on that port', cause)
  if (transport === 'mtls') return unknown('what ztunnel makes of the mTLS of sidecars is not worked out', cause)
  const [ip = ''] = client.addresses
  const [address = ''] = workload.addresses
  const enforced = ztunnelPoliciesFor(snapshot, workload)
  const principal = transport === 'hbone' ? identity : undefined
  const judged = judgeConnection(enforced, { principal, ip, port, address })
  if (judged.verdict === 'deny') {
    const { why, by } = denialOf(judged, enforced.policies, mtls)
    return fails(brokenAs, `${why} the connection of ${principal ?? 'a client without an identity'}`, by)
  }
  const by = judged.policy === undefined ? undefined : deciderOf(judged.policy, judged.rule?.index)
  yield step('policy', by === undefined ? 'none forbids the connection' : 'allows the connection', by)
  return answered('an answer', by === undefined ? 'no policy forbids it' : 'a policy allows it', by)
}

function acceptance({ mode, object }: EffectiveMtls): string {
  if (mode === 'STRICT') return 'is STRICT: ztunnel takes HBONE only'
  const why = object === undefined ? '; no PeerAuthentication says otherwise' : ''
  return `is PERMISSIVE: ztunnel takes HBONE and plaintext${why}`
}

function peerDecider({ object, field }: EffectiveMtls): Decider | undefined {
  return object === undefined ? undefined : { object, field }
}

function denialOf(
  { policy, rule }: ConnectionVerdict,
  policies: readonly ZtunnelPolicy[],
  mtls: EffectiveMtls,
): Pick<Ending, 'why' | 'by'> {
  if (policy !== undefined && isOfPeer(policy)) {
    return { why: 'ztunnel takes mTLS only, which denies', by: peerDecider(mtls) }
  }
  if (policy !== undefined) return { why: 'a rule denies', by: deciderOf(policy, rule?.index) }
  const allowing = policies.filter(({ action }) => action === 'ALLOW')
  const spoken = allowing.find(({ rules }) => rules.length > 0) ?? allowing[0]
  return { why: 'no ALLOW policy allows', by: spoken === undefined ? undefined : deciderOf(spoken) }
}

function deciderOf({ object }: ZtunnelPolicy, index?: number): Decider | undefined {
  return object === undefined ? undefined : { object, field: `spec.rules${index === undefined ? '' : `[${index}]`}` }
}
