import { asObject } from '../kube/json.ts'
import { labelValue, type KubeObject } from '../kube/object.ts'
import { compareText, creationOf } from './age.ts'
import { KINDS } from './kinds.ts'
import { isHttpOrDetected, type Protocol } from './protocol.ts'
import { servicesOf, type MeshService, type ServicePort } from './registry.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { blocks, text } from './fields.ts'
import { policiesFor } from './policy-attachment.ts'
import { resolvePort, type Workload } from './workloads.ts'

/** A port of a workload that a service leads to. */
export interface InboundPort {
  readonly number: number
  readonly protocol: Protocol
  /** How its filters treat it: what is not HTTP is TCP. */
  readonly filters: 'http' | 'tcp'
  readonly service: MeshService
  readonly servicePort: ServicePort
}

/**
 * The ports of a workload that services lead to. Where several lead to one port, the oldest service says what it speaks.
 * istio: model/context.go SetServiceTargets, networking/core/listener_inbound.go getFilterChainsByServicePort.
 */
export function inboundPorts(snapshot: MeshSnapshot, workload: Workload): readonly InboundPort[] {
  const ports = new Map<number, InboundPort>()
  for (const service of servicesInFrontOf(snapshot, workload)) {
    for (const servicePort of service.ports) {
      if (servicePort.protocol === 'udp') continue
      const number = resolvePort(workload, servicePort.target)
      if (number === undefined || ports.has(number)) continue
      const { protocol } = servicePort
      ports.set(number, {
        number,
        protocol,
        filters: isHttpOrDetected(protocol) ? 'http' : 'tcp',
        service,
        servicePort,
      })
    }
  }
  return [...ports.values()]
}

/** The Services and ServiceEntries of the workload's namespace that select it, oldest first. */
export function servicesInFrontOf(snapshot: MeshSnapshot, workload: Workload): readonly MeshService[] {
  const objects = [
    ...snapshot.inNamespace(KINDS.service, workload.namespace),
    ...snapshot.inNamespace(KINDS.serviceEntry, workload.namespace),
  ]
  return objects
    .flatMap((object) => servicesOf(object))
    .filter(({ selector }) => selector !== undefined && isSelected(workload, selector))
    .sort((a, b) => compareText(creationOf(a.object), creationOf(b.object)) || compareText(a.host, b.host))
}

/** The issuers of tokens that a workload knows. None: it does not look at tokens. istio: security/authn/policy_applier.go JwtFilter. */
export function tokenIssuers(snapshot: MeshSnapshot, workload: Workload): ReadonlySet<string> {
  return issuersOf(policiesFor(snapshot, KINDS.requestAuthentication, workload))
}

/** The issuers of tokens that RequestAuthentications name. */
export function issuersOf(policies: readonly KubeObject[]): ReadonlySet<string> {
  return new Set(
    policies.flatMap((policy) => blocks(asObject(policy.spec).jwtRules).map((rule) => text(rule.issuer) ?? '')),
  )
}

function isSelected(workload: Workload, selector: Readonly<Record<string, string>>): boolean {
  const wanted = Object.entries(selector)
  return wanted.length > 0 && wanted.every(([key, value]) => labelValue(workload.labels, key) === value)
}
