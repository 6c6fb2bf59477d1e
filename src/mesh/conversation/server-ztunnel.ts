import type { KubeObject } from '../../kube/object.ts'
import type { Workload } from '../workloads.ts'
import { isOfPeer, judgeConnection, ztunnelPoliciesFor, type ConnectionVerdict } from '../ztunnel-access.ts'
import type { ZtunnelPolicy } from '../ztunnel-policy.ts'
import type { Transport } from './arrival.ts'
import type { Delivery } from './call.ts'
import { answered, fails, step, unknown, type Decider, type Ending, type Walk } from './step.ts'

/** What ztunnel makes of a connection to a port of a captured pod. */
export function* walkZtunnel(delivery: Delivery, workload: Workload, port: number, transport: Transport): Walk {
  const { snapshot, client, identity, brokenAs, cause } = delivery
  yield step(
    'server',
    `port ${port} of a pod in ambient: ztunnel takes HBONE, and plaintext unless a policy forbids it`,
  )
  if (transport === 'tls') return unknown('it takes an application that serves TLS itself on that port', cause)
  if (transport === 'mtls') return unknown('what ztunnel makes of the mTLS of sidecars is not worked out', cause)
  const [ip = ''] = client.addresses
  const [address = ''] = workload.addresses
  const enforced = ztunnelPoliciesFor(snapshot, workload)
  const principal = transport === 'hbone' ? identity : undefined
  const judged = judgeConnection(enforced, { principal, ip, port, address })
  if (judged.verdict === 'deny') return denied(judged, enforced.policies, principal, brokenAs)
  const text = judged.policy === undefined ? 'none forbids the connection' : 'allows the connection'
  yield step('policy', text, judged.policy === undefined ? undefined : deciderOf(judged.policy, judged.rule?.index))
  return answered('an answer', judged.policy === undefined ? 'no policy forbids it' : 'a policy allows it')
}

function denied(
  { policy, rule }: ConnectionVerdict,
  policies: readonly ZtunnelPolicy[],
  principal: string | undefined,
  brokenAs: string,
): Ending {
  const who = principal ?? 'a client without an identity'
  if (policy !== undefined) {
    const why = isOfPeer(policy) ? 'ztunnel takes mTLS only, which denies' : 'a rule denies'
    return fails(brokenAs, `${why} the connection of ${who}`, deciderOf(policy, rule?.index))
  }
  const allowing = policies.filter(({ action }) => action === 'ALLOW')
  const spoken = allowing.find(({ rules }) => rules.length > 0) ?? allowing[0]
  return fails(
    brokenAs,
    `no ALLOW policy lets the connection of ${who} in`,
    spoken === undefined ? undefined : deciderOf(spoken),
  )
}

/** What stands for PeerAuthentications of the whole mesh is of no one object. */
function deciderOf(policy: ZtunnelPolicy, index?: number): Decider | undefined {
  const object: KubeObject | undefined = policy.object
  if (object === undefined) return undefined
  if (isOfPeer(policy)) return { object, field: 'spec.mtls.mode' }
  return { object, field: index === undefined ? 'spec.rules' : `spec.rules[${index}]` }
}
