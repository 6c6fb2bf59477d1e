import type { Arrival } from './authorization-attributes.ts'
import { authorizationFor, enforcedRules, type Action, type EnforcedRule, type EnforcedRules } from './authorization.ts'
import { inboundPorts, tokenIssuers, type InboundPort } from './inbound.ts'
import { effectiveMtls, type MtlsMode } from './peer-authentication.ts'
import type { Request } from './request.ts'
import type { MeshSnapshot } from './snapshot.ts'
import type { Workload } from './workloads.ts'

/**
 * `refused`: plaintext to a port that wants mTLS; `no-mtls`: mTLS to a port that does not speak it; `bad-token`: from an issuer that
 * the workload does not know; `deny`: by a policy.
 */
export type Verdict = 'allow' | 'deny' | 'refused' | 'no-mtls' | 'bad-token'

/** A verdict and the rule that brings it about, where one does: a DENY that matches, or the ALLOW that does. */
export interface Judgement {
  readonly verdict: Verdict
  readonly rule: EnforcedRule | undefined
}

/** All that decides about calls to one port. */
export interface PortAccess {
  readonly port: InboundPort
  readonly mtls: MtlsMode
  readonly rules: EnforcedRules
  /** None: tokens are not looked at. */
  readonly issuers: ReadonlySet<string>
  readonly judge: (request: Request) => Judgement
}

/** What decides about calls to each port of a workload that a service leads to. Custom authorization counts as passed. */
export function accessTo(snapshot: MeshSnapshot, workload: Workload): readonly PortAccess[] {
  const ports = inboundPorts(snapshot, workload)
  if (ports.length === 0) return []
  const authorization = authorizationFor(snapshot, workload)
  const known = tokenIssuers(snapshot, workload)
  const byFilters = {
    http: enforcedRules(snapshot, authorization, 'http'),
    tcp: enforcedRules(snapshot, authorization, 'tcp'),
  }
  return ports.map((port) => {
    const mtls = effectiveMtls(snapshot, workload, port.number).mode
    const rules = byFilters[port.filters]
    const issuers = port.filters === 'http' ? known : NONE
    const judge = (request: Request): Judgement => {
      const [address = ''] = workload.addresses
      return judgeArrival({ request, port: port.number, address, readsTokens: issuers.size > 0 }, mtls, rules, issuers)
    }
    return { port, mtls, rules, issuers, judge }
  })
}

/** In the order in which a sidecar asks: transport, token, DENY, ALLOW. istio: networking/core/listener_builder.go. */
function judgeArrival(arrival: Arrival, mtls: MtlsMode, rules: EnforcedRules, issuers: ReadonlySet<string>): Judgement {
  const { request } = arrival
  if (mtls === 'STRICT' && request.principal === undefined) return { verdict: 'refused', rule: undefined }
  if (mtls === 'DISABLE' && request.principal !== undefined) return { verdict: 'no-mtls', rule: undefined }
  if (arrival.readsTokens && request.jwt !== undefined && !issuers.has(request.jwt.issuer)) {
    return { verdict: 'bad-token', rule: undefined }
  }
  return judgeByRules(arrival, rules)
}

/** What the rules of a port alone say: DENY, then ALLOW. Custom authorization counts as passed. */
export function judgeByRules(arrival: Arrival, rules: EnforcedRules): Judgement {
  const matching = (action: Action): EnforcedRule | undefined => rules[action]?.find((rule) => rule.matches(arrival))
  const denied = matching('DENY')
  if (denied !== undefined) return { verdict: 'deny', rule: denied }
  if (rules.ALLOW === undefined) return { verdict: 'allow', rule: undefined }
  const allowed = matching('ALLOW')
  return { verdict: allowed === undefined ? 'deny' : 'allow', rule: allowed }
}

const NONE: ReadonlySet<string> = new Set()
