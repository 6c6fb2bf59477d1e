import { nameOf, namespaceOf } from '../kube/object.ts'
import { accessTo, type Verdict } from '../mesh/access.ts'
import { enforcedRuleName, type EnforcedRules } from '../mesh/authorization.ts'
import { effectiveMtls, type EffectiveMtls } from '../mesh/peer-authentication.ts'
import type { Request } from '../mesh/request.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import type { Workload } from '../mesh/workloads.ts'
import {
  effectiveAmbientMtls,
  isOfPeer,
  judgeConnection,
  ztunnelPoliciesFor,
  type ConnectionVerdict,
  type ZtunnelPolicies,
} from '../mesh/ztunnel-access.ts'

/** What decides, in words: under a port (`other`: any that nothing names) its mTLS mode, under `port request` the verdict. */
export type Deciders = ReadonlyMap<string, string>

/** What decides about a workload with a sidecar. */
export function decidersOf(snapshot: MeshSnapshot, workload: Workload, requests: readonly Request[]): Deciders {
  const mode = (port?: number): string => modeDecider(effectiveMtls(snapshot, workload, port), "Istio's default")
  const deciders = modeDeciders(workload, mode)
  if (requests.length === 0) return deciders
  for (const { port, rules, judge } of accessTo(snapshot, workload)) {
    for (const request of requests) {
      const { verdict, rule } = judge(request)
      const why = rule === undefined ? whyWithoutRule(verdict, rules) : `AuthorizationPolicy ${enforcedRuleName(rule)}`
      deciders.set(`${port.number} ${request.id}`, why === '' ? mode(port.number) : why)
    }
  }
  return deciders
}

/** What brought a verdict about where no rule did; empty where the mTLS mode of the port did. */
function whyWithoutRule(verdict: Verdict, rules: EnforcedRules): string {
  switch (verdict) {
    case 'allow':
      return rules.ALLOW === undefined ? 'nothing forbids it' : 'no rule forbids it'
    case 'deny':
      return `no ALLOW rule matches: ${(rules.ALLOW ?? []).map(enforcedRuleName).join(', ') || 'there is none'}`
    case 'bad-token':
      return 'the issuer of its token is in no RequestAuthentication'
    case 'refused':
    case 'no-mtls':
      return ''
  }
}

/** What decides about a workload that ztunnel captures. */
export function ambientDecidersOf(snapshot: MeshSnapshot, workload: Workload, requests: readonly Request[]): Deciders {
  const mode = (port?: number): string =>
    modeDecider(effectiveAmbientMtls(snapshot, workload, port), 'no PeerAuthentication')
  const deciders = modeDeciders(workload, mode)
  const enforced = ztunnelPoliciesFor(snapshot, workload)
  const [address = ''] = workload.addresses
  for (const port of [...workload.ports.map(({ number }) => number), undefined]) {
    for (const { id, principal, ip } of requests) {
      const judged = judgeConnection(enforced, { principal, ip, port: port ?? UNNAMED_PORT, address })
      const isRefused = judged.policy !== undefined && isOfPeer(judged.policy)
      deciders.set(`${port ?? 'other'} ${id}`, isRefused ? mode(port) : connectionDecider(judged, enforced))
    }
  }
  return deciders
}

function modeDeciders({ ports }: Workload, mode: (port?: number) => string): Map<string, string> {
  return new Map([['other', mode()], ...ports.map(({ number }) => [String(number), mode(number)] as const)])
}

function modeDecider({ object, field }: EffectiveMtls, none: string): string {
  return object === undefined ? none : `PeerAuthentication ${namespaceOf(object)}/${nameOf(object)} ${field}`
}

function connectionDecider({ verdict, policy, rule }: ConnectionVerdict, { policies }: ZtunnelPolicies): string {
  if (policy !== undefined)
    return `AuthorizationPolicy ${policy.key}${rule?.index === undefined ? '' : `#${rule.index}`}`
  if (verdict === 'allow') return 'nothing forbids it'
  const allowing = policies.filter(({ action }) => action === 'ALLOW').map(({ key }) => key)
  return `no ALLOW rule matches: ${allowing.join(', ')}`
}

/** No workload can have it. */
const UNNAMED_PORT = 0
