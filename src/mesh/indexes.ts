import { asList, asObject, type JsonObject } from '../kube/json.ts'
import { labelsOf, labelValue, namespaceOf, type KubeObject } from '../kube/object.ts'
import { declaredCalls, namedCallers } from './declared-calls.ts'
import { textMap } from './fields.ts'
import { runsGateway } from './gateway-pod.ts'
import { hostOfEntry, isWildcard, resolveHost } from './hosts.ts'
import { KINDS, type KindName } from './kinds.ts'
import { TEMPLATE_KINDS } from './pod-template.ts'
import { ownWaypointKey } from './waypoint-reference.ts'

/**
 * A question "which objects of this kind have that key" that the snapshot answers without looking at the others.
 * Every index is kept up to date by every change, so its keys must be cheap to list and follow from the object alone.
 */
export interface Index {
  readonly kind: KindName
  /** The keys of an object; repetitions do not count. Never throws, whatever the object is like. */
  readonly keys: (object: KubeObject) => Iterable<string>
}

/** Pods by label, under `key=value`. */
export const podsByLabel: Index = {
  kind: KINDS.pod,
  keys: (pod) => Object.entries(labelsOf(pod)).map(([key, value]) => `${key}=${value}`),
}

/** ServiceEntries by each of their hosts, wildcards as they are written. */
export const serviceEntriesByHost: Index = {
  kind: KINDS.serviceEntry,
  keys: (entry) => strings(asObject(entry.spec).hosts).map((host) => host.toLowerCase()),
}

/** ExternalName Services by the name that they stand for. */
export const aliasesByTarget: Index = {
  kind: KINDS.service,
  keys: (service) => {
    const spec = asObject(service.spec)
    return spec.type === 'ExternalName' ? strings([spec.externalName]) : []
  },
}

/** VirtualServices by each of their hosts, short names resolved, wildcards as they are written. */
export const virtualServicesByHost: Index = {
  kind: KINDS.virtualService,
  keys: (service) => strings(asObject(service.spec).hosts).map((host) => resolveHost(host, namespaceOf(service))),
}

/** VirtualServices with a host that is a wildcard, all under `WILDCARD`. */
export const virtualServicesWithWildcard: Index = {
  kind: KINDS.virtualService,
  keys: (service) => (strings(asObject(service.spec).hosts).some(isWildcard) ? [WILDCARD] : []),
}
export const WILDCARD = 'wildcard'

/** VirtualServices by the hosts that they send traffic to, mirrors included, short names resolved. */
export const virtualServicesByDestination: Index = { kind: KINDS.virtualService, keys: destinationHosts }

/** VirtualServices by those that they delegate to, under `namespace/name`. */
export const virtualServicesByDelegate: Index = { kind: KINDS.virtualService, keys: delegates }

/** VirtualServices by the gateways of their `gateways` list, under `namespace/name`; `mesh` stays `mesh`. */
export const virtualServicesByGateway: Index = {
  kind: KINDS.virtualService,
  keys: (service) => strings(asObject(service.spec).gateways).map((name) => gatewayKey(name, namespaceOf(service))),
}

/** DestinationRules that choose endpoints by a hash anywhere, all under `HASHED`. */
export const destinationRulesWithHash: Index = {
  kind: KINDS.destinationRule,
  keys: (rule) => (policiesOf(asObject(rule.spec)).some(hashes) ? [HASHED] : []),
}
export const HASHED = 'hashed'

/** EndpointSlices by the Service that they belong to, under `namespace/name`. */
export const endpointSlicesByService: Index = {
  kind: KINDS.endpointSlice,
  keys: (slice) => {
    const service = labelValue(labelsOf(slice), 'kubernetes.io/service-name')
    return service === undefined ? [] : [`${namespaceOf(slice)}/${service}`]
  },
}

/** VirtualServices that set retries, all under `RETRIES`. */
export const virtualServicesWithRetries: Index = {
  kind: KINDS.virtualService,
  keys: (service) =>
    asList(asObject(service.spec).http).some((entry) => asObject(entry).retries !== undefined) ? [RETRIES] : [],
}
export const RETRIES = 'retries'

/**
 * VirtualServices with a condition on who asks, under `namespace:…` and `label:key=value` for every label that they ask for; those that
 * ask for any label also under `SOURCE_LABELS`.
 */
export const virtualServicesBySource: Index = { kind: KINDS.virtualService, keys: sources }
export const SOURCE_LABELS = 'labels'

/** Sidecars by the exact hosts of their egress. */
export const sidecarsByHost: Index = {
  kind: KINDS.sidecar,
  keys: (sidecar) =>
    asList(asObject(sidecar.spec).egress)
      .flatMap((entry) => strings(asObject(entry).hosts))
      .flatMap((entry) => {
        const host = hostOfEntry(entry).toLowerCase()
        return entry.startsWith('~') || host.startsWith('*') ? [] : [host]
      }),
}

/** AuthorizationPolicies by the service accounts whose callers they name, under `namespace/account`. */
export const authorizationPoliciesByCaller: Index = {
  kind: KINDS.authorizationPolicy,
  keys: (policy) => namedCallers(policy).map(({ namespace, account }) => `${namespace}/${account}`),
}

/** Workloads and Services by the hosts that their annotation says they call. One index for each of their kinds. */
export const callersByHost: readonly Index[] = [KINDS.service, KINDS.pod, KINDS.workloadGroup, ...TEMPLATE_KINDS].map(
  (kind) => ({ kind, keys: (object) => declaredCalls(object).map(({ host }) => host) }),
)

/** What runs a gateway, under `gateway`: Pods and pod templates. One index for each of their kinds. */
export const gatewayWorkloads: readonly Index[] = [KINDS.pod, ...TEMPLATE_KINDS].map((kind) => ({
  kind,
  keys: (object) => (runsGateway(object) ? ['gateway'] : []),
}))

/** Gateways by one label of their selector, `key=value`; those that select every gateway under the empty key. */
export const gatewaysBySelector: Index = { kind: KINDS.gateway, keys: (gateway) => [selectorKey(gateway)] }

/** Gateways by the names of their servers, without the namespaces for which they are, wildcards as they are written. */
export const gatewaysByHost: Index = {
  kind: KINDS.gateway,
  keys: (gateway) =>
    asList(asObject(gateway.spec).servers)
      .flatMap((server) => strings(asObject(server).hosts))
      .map((host) => hostOfEntry(host).toLowerCase()),
}

/** What asks for a waypoint itself, under the waypoint's `namespace/name`; a Namespace asks for all in it. One index for each kind. */
export const waypointUsers = {
  namespaces: waypointUsersOf(KINDS.namespace),
  services: [waypointUsersOf(KINDS.service), waypointUsersOf(KINDS.serviceEntry)],
  workloads: [KINDS.pod, KINDS.workloadEntry, ...TEMPLATE_KINDS].map(waypointUsersOf),
} as const

/** All of them, by the kind whose objects they hold. */
export const INDEXES: ReadonlyMap<KindName, readonly Index[]> = Map.groupBy(
  [
    podsByLabel,
    serviceEntriesByHost,
    aliasesByTarget,
    virtualServicesByHost,
    virtualServicesWithWildcard,
    virtualServicesByDestination,
    virtualServicesByDelegate,
    virtualServicesByGateway,
    destinationRulesWithHash,
    endpointSlicesByService,
    virtualServicesWithRetries,
    virtualServicesBySource,
    sidecarsByHost,
    authorizationPoliciesByCaller,
    ...callersByHost,
    ...gatewayWorkloads,
    gatewaysBySelector,
    gatewaysByHost,
    waypointUsers.namespaces,
    ...waypointUsers.services,
    ...waypointUsers.workloads,
  ],
  (index) => index.kind,
)

/**
 * A gateway as an object in `namespace` names it, as `namespace/name`; the reserved name `mesh` is itself. The old form
 * `name.namespace.svc…` is still read. istio: model/config.go resolveGatewayName.
 */
export function gatewayKey(name: string, namespace: string): string {
  if (name === 'mesh') return name
  if (name.includes('/')) return name.startsWith('./') ? `${namespace}${name.slice(1)}` : name
  const [own = '', other] = name.split('.')
  return other === undefined ? `${namespace}/${name}` : `${other}/${own}`
}

function selectorKey(gateway: KubeObject): string {
  const [first] = Object.entries(textMap(asObject(gateway.spec).selector))
  return first === undefined ? '' : first.join('=')
}

function waypointUsersOf(kind: KindName): Index {
  return { kind, keys: (object) => [ownWaypointKey(object) ?? []].flat() }
}

function* destinationHosts(service: KubeObject): Generator<string> {
  const { http, tcp, tls } = asObject(service.spec)
  const namespace = namespaceOf(service)
  for (const item of [...asList(http), ...asList(tcp), ...asList(tls)]) {
    const { route, mirror, mirrors } = asObject(item)
    const destinations = [mirror]
    for (const weighted of [...asList(route), ...asList(mirrors)]) destinations.push(asObject(weighted).destination)
    for (const destination of destinations) {
      const { host } = asObject(destination)
      if (typeof host === 'string') yield resolveHost(host, namespace)
    }
  }
}

function* delegates(service: KubeObject): Generator<string> {
  for (const item of asList(asObject(service.spec).http)) {
    const { name, namespace } = asObject(asObject(item).delegate)
    if (typeof name !== 'string') continue
    yield `${typeof namespace === 'string' && namespace !== '' ? namespace : namespaceOf(service)}/${name}`
  }
}

function* sources(service: KubeObject): Generator<string> {
  for (const item of asList(asObject(service.spec).http)) {
    for (const match of asList(asObject(item).match)) {
      const { sourceNamespace, sourceLabels } = asObject(match)
      if (typeof sourceNamespace === 'string' && sourceNamespace !== '') yield `namespace:${sourceNamespace}`
      for (const [key, value] of Object.entries(asObject(sourceLabels))) {
        if (typeof value === 'string') yield `label:${key}=${value}`
        yield SOURCE_LABELS
      }
    }
  }
}

/** Every traffic policy of a DestinationRule's spec: its own, its subsets', and the entries of ports in them. */
function policiesOf(spec: JsonObject): readonly JsonObject[] {
  const policies = [spec, ...asList(spec.subsets)].map((holder) => asObject(asObject(holder).trafficPolicy))
  return policies.flatMap((policy) => [policy, ...asList(policy.portLevelSettings).map((entry) => asObject(entry))])
}

function hashes(policy: JsonObject): boolean {
  return asObject(policy.loadBalancer).consistentHash !== undefined
}

function strings(value: unknown): readonly string[] {
  return asList(value).filter((item) => typeof item === 'string')
}
