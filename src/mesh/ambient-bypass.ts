import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { isCaptured } from './ambient-enrolment.ts'
import { workloadsOf } from './endpoints.ts'
import { podsByLabel } from './indexes.ts'
import { memo, memoByKey } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshService } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { GATEWAY_NAME } from './waypoint-gateways.ts'
import { workloadOf, type Workload } from './workloads.ts'
import { ztunnelPoliciesFor, ztunnelPoliciesIn } from './ztunnel-access.ts'
import { effectOfRule, isEmptyMatch } from './ztunnel-match.ts'
import type { ZtunnelMatch, ZtunnelPolicy } from './ztunnel-policy.ts'

/** A captured workload behind a waypoint that lets others in than the waypoint. */
export interface WaypointBypass {
  readonly workload: Workload
  /** The ALLOW policy that lets them in; undefined: there is none, and without one ztunnel lets everybody in. */
  readonly policy: ZtunnelPolicy | undefined
}

/**
 * The workloads of a service that can be reached past its waypoint: whoever connects to a pod's own address meets ztunnel's policies only. None
 * where every ALLOW rule asks for the waypoint's identity. Policies that only some pods of a mesh could ever meet are not told apart from those
 * that anybody meets, nor are DENY policies looked at.
 */
export function waypointBypasses(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
): readonly WaypointBypass[] {
  return [...eachWaypointBypass(snapshot, waypoint, service)]
}

/** The same one by one, for whoever needs the first alone. */
export function* eachWaypointBypass(
  snapshot: MeshSnapshot,
  waypoint: KubeObject,
  service: MeshService,
): Generator<WaypointBypass> {
  const { identities, isShut } = guardOf(snapshot)(waypoint)
  if (isShut(service.namespace)) return
  for (const workload of workloadsOf(snapshot, service)) {
    if (!isCaptured(snapshot, workload)) continue
    const allowing = ztunnelPoliciesFor(snapshot, workload).policies.filter(isAllow)
    const policy = allowing.find((candidate) => admitsOthers(candidate, identities))
    if (allowing.length === 0 || policy !== undefined) yield { workload, policy }
  }
}

/** A waypoint may serve the whole mesh: what does not differ between its services is worked out once. */
const guardOf = memo((snapshot: MeshSnapshot) =>
  memo((waypoint: KubeObject) => {
    const identities = waypointIdentities(snapshot, waypoint)
    /** Is there an ALLOW policy for all workloads of a namespace, and none for any of them that admits others? */
    const isShut = memoByKey(String, (namespace: string) => {
      const { wide, selective } = ztunnelPoliciesIn(snapshot)(namespace)
      const isOpen = [...wide, ...selective].some((policy) => isAllow(policy) && admitsOthers(policy, identities))
      return wide.some(isAllow) && !isOpen
    })
    return { identities, isShut }
  }),
)

function isAllow({ action }: ZtunnelPolicy): boolean {
  return action === 'ALLOW'
}

/** The identities of a waypoint: of its pods or, where none is known, of the account that Istio makes for it, called like it. */
export function waypointIdentities(snapshot: MeshSnapshot, waypoint: KubeObject): Identities {
  const namespace = namespaceOf(waypoint)
  const { trustDomain } = meshConfigOf(snapshot)
  const accounts = new Set(
    snapshot
      .find(podsByLabel, `${GATEWAY_NAME}=${nameOf(waypoint)}`)
      .filter((pod) => namespaceOf(pod) === namespace)
      .map((pod) => workloadOf(pod)?.serviceAccount ?? 'default'),
  )
  if (accounts.size === 0) accounts.add(nameOf(waypoint))
  return {
    serviceAccounts: new Set([...accounts].map((account) => `${namespace}/${account}`)),
    principals: new Set([...accounts].map((account) => `${trustDomain}/ns/${namespace}/sa/${account}`)),
  }
}

export interface Identities {
  /** `namespace/account`. */
  readonly serviceAccounts: ReadonlySet<string>
  /** Without `spiffe://`. */
  readonly principals: ReadonlySet<string>
}

/** Is there a rule that holds for somebody else? It needs a clause all of whose matches name the identities to hold for them only. */
function admitsOthers({ rules }: ZtunnelPolicy, identities: Identities): boolean {
  return rules.some(
    (rule) =>
      effectOfRule(rule) !== 'never' &&
      !rule.clauses.some((clause) => clause.every((match) => isEmptyMatch(match) || namesOnly(match, identities))),
  )
}

function namesOnly({ principals, serviceAccounts }: ZtunnelMatch, identities: Identities): boolean {
  return (
    principals?.every((value) => identities.principals.has(value)) === true ||
    serviceAccounts?.every((value) => identities.serviceAccounts.has(value)) === true
  )
}
