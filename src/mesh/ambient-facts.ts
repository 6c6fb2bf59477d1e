import type { Json, JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { enrolmentOf } from './ambient-enrolment.ts'
import { takesEffect } from './ambient-reach.ts'
import { authorizationFor, enforcedRuleName, type EnforcedRules } from './authorization.ts'
import { ruleName } from './destination-rule.ts'
import { settingsFact } from './fact-cluster.ts'
import { destinationFact, routeFact } from './fact-route.ts'
import { serviceFact } from './facts.ts'
import { issuersOf, servicesInFrontOf } from './inbound.ts'
import { KINDS } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import { allServices } from './registry.ts'
import type { Request } from './request.ts'
import type { MeshSnapshot } from './snapshot.ts'
import {
  servicesOfWaypoint,
  waypointOfService,
  waypointOfWorkload,
  workloadsOfWaypoint,
} from './waypoint-attachment.ts'
import { isReady, trafficOf, waypointsOf } from './waypoint-gateways.ts'
import { waypointFilters, waypointPorts, type WaypointFilters, type WaypointPort } from './waypoint-ports.ts'
import { allWorkloads, type Workload } from './workloads.ts'
import {
  allZtunnelPolicies,
  ambientMtls,
  judgeConnection,
  ztunnelPoliciesFor,
  type ZtunnelPolicies,
} from './ztunnel-access.ts'
import { effectOfRule } from './ztunnel-match.ts'
import { convertAuthorizationPolicy, type ZtunnelPolicy } from './ztunnel-policy.ts'

/**
 * What ambient really does: who is captured, by which waypoint, which policies ztunnel and waypoints enforce, and which take effect
 * nowhere. The vocabulary is that of the oracle corpus, docs/conformance.md.
 */
export function ambientFacts(snapshot: MeshSnapshot, requests: readonly Request[]): JsonObject {
  const policies = snapshot.all(KINDS.authorizationPolicy)
  const notSent = policies.flatMap((policy) => {
    const converted = convertAuthorizationPolicy(snapshot, policy)
    return typeof converted === 'string' ? [[objectName(policy), converted] as const] : []
  })
  return {
    services: allServices(snapshot).map(serviceFact),
    serviceWaypoints: serviceWaypoints(snapshot),
    pods: Object.fromEntries(
      allWorkloads(snapshot).map((workload) => [workloadName(workload), podFact(snapshot, workload, requests)]),
    ),
    ztunnelPolicies: Object.fromEntries(
      allZtunnelPolicies(snapshot).map((policy) => [policy.key, ztunnelPolicyFact(policy)]),
    ),
    notSentToZtunnel: Object.fromEntries(notSent),
    waypoints: Object.fromEntries(
      waypointsOf(snapshot).map((waypoint) => [objectName(waypoint), waypointFact(snapshot, waypoint)]),
    ),
    nowhere: [...policies, ...snapshot.all(KINDS.requestAuthentication)]
      .filter((policy) => !takesEffect(snapshot, policy))
      .map((policy) => `${policy.kind} ${objectName(policy)}`)
      .sort(),
  }
}

function serviceWaypoints(snapshot: MeshSnapshot): JsonObject {
  return Object.fromEntries(
    allServices(snapshot).map(({ host, object }) => {
      const { waypoint, problem } = waypointOfService(snapshot, object)
      return [host, { waypoint: nameOrNull(waypoint), ...(problem === undefined ? {} : { problem }) }]
    }),
  )
}

function podFact(snapshot: MeshSnapshot, workload: Workload, requests: readonly Request[]): JsonObject {
  const { mode } = enrolmentOf(snapshot, workload)
  const hosts = servicesInFrontOf(snapshot, workload).map(({ host }) => host)
  const common = {
    mode,
    tunnel: mode === 'ambient' ? 'HBONE' : 'NONE',
    waypoint: nameOrNull(waypointOfWorkload(snapshot, workload).waypoint),
    ...(hosts.length === 0 ? {} : { services: hosts.sort() }),
  }
  switch (mode) {
    case 'ambient':
      return { ...common, ...capturedFact(ztunnelPoliciesFor(snapshot, workload), workload, requests) }
    case 'sidecar': {
      const { CUSTOM: _, ...shown } = authorizationFor(snapshot, workload)
      const named = Object.entries(shown).map(([action, list]) => [action, list.map(objectName)] as const)
      return { ...common, policies: byAction(named) }
    }
    default:
      return { ...common, policies: null }
  }
}

function capturedFact(enforced: ZtunnelPolicies, workload: Workload, requests: readonly Request[]): JsonObject {
  const { policies, missing } = enforced
  const keys = (action: ZtunnelPolicy['action']): readonly string[] =>
    policies.filter((policy) => policy.action === action).map(({ key }) => key)
  const ports = [...new Set(workload.ports.map(({ number }) => number)), 'other'] as const
  const [address = ''] = workload.addresses
  const verdicts = (port: number): JsonObject =>
    Object.fromEntries(
      requests.map(({ id, principal, ip }) => [
        id,
        judgeConnection(enforced, { principal, ip, port, address }).verdict,
      ]),
    )
  return {
    policies: byAction([
      ['ALLOW', keys('ALLOW')],
      ['DENY', keys('DENY')],
    ]),
    ...(missing.length === 0 ? {} : { missing }),
    mtls: Object.fromEntries(ports.map((port) => [port, ambientMtls(enforced, port === 'other' ? undefined : port)])),
    access: Object.fromEntries(ports.map((port) => [port, verdicts(port === 'other' ? UNNAMED_PORT : port)])),
  }
}

function ztunnelPolicyFact({ scope, action, rules, unsupported }: ZtunnelPolicy): JsonObject {
  const names = [...new Set(unsupported.map(({ name }) => name))].sort()
  return {
    scope,
    action,
    rules: rules.map(({ clauses }) => clauses.map((clause) => clause.map((match) => ({ ...match })))),
    effect: rules.map(effectOfRule),
    ...(names.length === 0 ? {} : { unsupported: names }),
  }
}

function waypointFact(snapshot: MeshSnapshot, waypoint: KubeObject): JsonObject {
  const services = servicesOfWaypoint(snapshot, waypoint).map((service) => {
    const ports = waypointPorts(snapshot, waypoint, service).map((port) => [
      port.port.number,
      waypointPortFact(snapshot, port),
    ])
    return [service.host, Object.fromEntries(ports)] as const
  })
  const workloads = workloadsOfWaypoint(snapshot, waypoint)
  const direct = { protocol: 'http', ...filtersFact(waypointFilters(snapshot, waypoint, 'http')) }
  return {
    for: trafficOf(snapshot, waypoint),
    ready: isReady(waypoint),
    services: Object.fromEntries(services),
    workloads: workloads.map(workloadName),
    ...(workloads.length === 0 ? {} : { direct }),
  }
}

function waypointPortFact(snapshot: MeshSnapshot, port: WaypointPort): JsonObject {
  const { traffic, rule, clusters } = port
  const config = meshConfigOf(snapshot)
  return {
    protocol: traffic.kind,
    ...filtersFact(port),
    ...(traffic.kind === 'tcp'
      ? { to: traffic.to.map(destinationFact) }
      : { routes: traffic.routes === 'default' ? traffic.routes : traffic.routes.map(routeFact) }),
    ...(rule === undefined
      ? {}
      : {
          destinationRule: ruleName(rule),
          clusters: Object.fromEntries([...clusters].map(([name, cluster]) => [name, settingsFact(cluster, config)])),
        }),
  }
}

function filtersFact({ rules, requestAuthentications }: WaypointFilters): JsonObject {
  const issuers = requestAuthentications.flatMap((policy) => [...issuersOf([policy])])
  return {
    rules: rulesFact(rules),
    ...(requestAuthentications.length === 0
      ? {}
      : { requestAuthentications: requestAuthentications.map(objectName), issuers: issuers.sort() }),
  }
}

function rulesFact(rules: EnforcedRules): JsonObject {
  return Object.fromEntries(Object.entries(rules).map(([action, list]) => [action, list.map(enforcedRuleName).sort()]))
}

function byAction(named: readonly (readonly [string, readonly string[]])[]): JsonObject {
  return Object.fromEntries(
    named.filter(([, names]) => names.length > 0).map(([action, names]) => [action, names.toSorted()]),
  )
}

function nameOrNull(object: KubeObject | undefined): Json {
  return object === undefined ? null : objectName(object)
}

function objectName(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`
}

function workloadName({ namespace, name }: Workload): string {
  return `${namespace}/${name}`
}

/** A port that no policy names. */
const UNNAMED_PORT = 0
