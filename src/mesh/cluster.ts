import { asObject, type Json } from '../kube/json.ts'
import type { Duration } from '../kube/duration.ts'
import { destinationRuleFor, type Client, type MergedRule, type Subset } from './destination-rule.ts'
import { endpointsOf, expectedIdentities, instancesOf, isResolvedByProxy, type Endpoint } from './endpoints.ts'
import { block, blocks, number, text, texts, wordIn } from './fields.ts'
import { matchesLabels } from '../kube/selector.ts'
import { runsGateway } from './gateway-pod.ts'
import { meshConfigOf } from './mesh-config.ts'
import { effectiveMtls, namespaceMtls } from './peer-authentication.ts'
import type { MeshService, ServicePort } from './registry.ts'
import {
  balancerOf,
  connectTimeoutOf,
  limitsOf,
  outlierDetectionOf,
  retryBudgetOf,
  type Balancer,
  type Limits,
  type OutlierDetection,
  type RetryBudget,
} from './resilience.ts'
import type { MeshSnapshot } from './snapshot.ts'
import { effectivePolicy, type PlacedBlock, type TrafficPolicy } from './traffic-policy.ts'

/** What a client does towards one port of a host, or of a subset of it. istio: an outbound cluster. */
export interface Cluster extends ClusterSettings {
  readonly tls: ClientTls
  /** Undefined where the client connects to the address that the application chose. */
  readonly endpoints: readonly Conversation[] | undefined
}

/** The settings of a cluster that do not depend on its transport. */
export interface ClusterSettings {
  readonly policy: TrafficPolicy
  readonly balancer: Balancer
  readonly limits: Limits
  /** Undefined where MeshConfig's value holds. */
  readonly connectTimeout: Duration | undefined
  readonly outlierDetection: OutlierDetection | undefined
  readonly retryBudget: RetryBudget | undefined
}

export interface ClientTls {
  /** `AUTO`: decided for each endpoint. `DISABLE`: plaintext, always. */
  readonly mode: 'AUTO' | 'ISTIO_MUTUAL' | 'SIMPLE' | 'MUTUAL' | 'DISABLE'
  /** As configured; undefined where Istio fills it in. */
  readonly sni: string | undefined
  readonly subjectAltNames: readonly string[]
  /** What decides: a `tls` of a DestinationRule; undefined for automatic mTLS and for its absence. */
  readonly from: PlacedBlock | undefined
}

export interface Conversation {
  readonly endpoint: Endpoint
  readonly transport: 'mtls' | 'plaintext' | 'tls'
}

/** A client and the port of the service that it sees. */
export interface ClusterQuery {
  readonly client: Client
  readonly service: MeshService
  readonly port: ServicePort
  readonly rule: MergedRule | undefined
}

/**
 * The clusters of a client for a port of a service, by subset; `''` is the whole host. A name that resolves to no endpoint
 * has none. istio: networking/core/cluster.go buildOutboundClusters.
 */
export function clustersFor(
  snapshot: MeshSnapshot,
  client: Client,
  service: MeshService,
  port: ServicePort,
): ReadonlyMap<string, Cluster> {
  const query = { client, service, port, rule: destinationRuleFor(snapshot, client, service) }
  const clusters = new Map<string, Cluster>()
  if (service.resolution === 'alias' || port.protocol === 'udp') return clusters
  const whole = wholeCluster(snapshot, query)
  if (whole === undefined) return clusters
  clusters.set('', whole)
  if (service.resolution === 'dynamic-dns') return clusters
  for (const subset of query.rule?.subsets ?? []) {
    const cluster = subsetCluster(snapshot, query, subset, whole)
    if (cluster !== undefined) clusters.set(subset.name, cluster)
  }
  return clusters
}

function wholeCluster(snapshot: MeshSnapshot, query: ClusterQuery): Cluster | undefined {
  const { service, port, rule } = query
  const policy = effectivePolicy(snapshot, rule, port.number)
  const isBound = service.resolution === 'none' || service.resolution === 'dynamic-dns'
  // only the rule's policy as a whole counts here, not the entry of the port
  const isGuessedFromEndpoints = isPassthrough(rule?.trafficPolicy?.policy.loadBalancer)
  return toCluster(snapshot, query, {
    policy,
    isBound,
    isGuessedFromEndpoints,
    endpoints: endpointsOf(snapshot, service, port),
    subset: undefined,
  })
}

function subsetCluster(
  snapshot: MeshSnapshot,
  query: ClusterQuery,
  subset: Subset,
  whole: Cluster,
): Cluster | undefined {
  const { service, port, rule } = query
  const ownPassthrough = isPassthrough(subset.trafficPolicy?.policy.loadBalancer)
  return toCluster(snapshot, query, {
    policy: effectivePolicy(snapshot, rule, port.number, subset.name),
    // the whole host's cluster is the model of the subset's: what it made a passthrough stays one
    isBound: whole.balancer === 'PASSTHROUGH' || ownPassthrough,
    isGuessedFromEndpoints: ownPassthrough,
    endpoints: endpointsOf(snapshot, service, port).filter(({ labels }) => matchesLabels(subset.labels, labels)),
    subset,
  })
}

interface ClusterParts {
  readonly policy: TrafficPolicy
  readonly isBound: boolean
  readonly isGuessedFromEndpoints: boolean
  readonly endpoints: readonly Endpoint[]
  readonly subset: Subset | undefined
}

function toCluster(snapshot: MeshSnapshot, query: ClusterQuery, parts: ClusterParts): Cluster | undefined {
  const { policy, endpoints } = parts
  if (isResolvedByProxy(query.service) && !parts.isBound && endpoints.length === 0) return undefined
  const balancer = parts.isBound ? 'PASSTHROUGH' : balancerOf(policy)
  const tls = clientTls(snapshot, query, parts, balancer)
  return {
    ...settingsOf(policy),
    tls,
    balancer,
    endpoints:
      balancer === 'PASSTHROUGH'
        ? undefined
        : endpoints.map((endpoint) => ({
            endpoint,
            transport: transportTo(snapshot, query, tls, endpoint, parts.subset),
          })),
  }
}

/** The settings of a policy that do not depend on the service. */
export function settingsOf(policy: TrafficPolicy): ClusterSettings {
  return {
    policy,
    balancer: balancerOf(policy),
    limits: limitsOf(policy),
    connectTimeout: connectTimeoutOf(policy),
    outlierDetection: outlierDetectionOf(policy),
    retryBudget: retryBudgetOf(policy),
  }
}

/** istio: networking/core/cluster_tls.go buildUpstreamTLSSettings, buildUpstreamClusterTLSContext. */
function clientTls(snapshot: MeshSnapshot, query: ClusterQuery, parts: ClusterParts, balancer: Balancer): ClientTls {
  const from = parts.policy.tls
  if (from !== undefined) return configuredTls(snapshot, query, from)
  if (!isAutomatic(snapshot, query, parts)) return { mode: 'DISABLE', sni: undefined, subjectAltNames: [], from }
  // without endpoints to choose for, the cluster as a whole speaks mTLS
  const mode = balancer === 'PASSTHROUGH' ? 'ISTIO_MUTUAL' : 'AUTO'
  return { mode, sni: undefined, subjectAltNames: [], from }
}

function configuredTls(snapshot: MeshSnapshot, { client, service, rule }: ClusterQuery, from: PlacedBlock): ClientTls {
  const tls = from.value
  const mode = wordIn(TLS_MODES, tls.mode) ?? 'DISABLE'
  const plaintext: ClientTls = { mode: 'DISABLE', sni: undefined, subjectAltNames: [], from }
  if (mode === 'DISABLE') return plaintext
  const sni = text(tls.sni) || undefined
  const named = texts(tls.subjectAltNames)
  if (mode === 'ISTIO_MUTUAL') return { mode, sni, subjectAltNames: named, from }
  const credential = text(tls.credentialName) ?? ''
  // a sidecar gets a Secret only where the rule selects the workloads that may have it; without one there is no TLS at all
  const mayRead = rule?.workloadSelector !== undefined || (client.object !== undefined && runsGateway(client.object))
  const isWithheld = credential !== '' && !credential.startsWith('configmap://') && !mayRead
  const lacksCertificate =
    mode === 'MUTUAL' && credential === '' && !(text(tls.clientCertificate) && text(tls.privateKey))
  if (isWithheld || lacksCertificate) return plaintext
  const known = service.source === 'ServiceEntry' && named.length === 0 ? expectedIdentities(snapshot, service) : named
  return { mode, sni, subjectAltNames: known, from }
}

/** Does automatic mTLS take part? istio: model/push_context.go BestEffortInferServiceMTLSMode. */
function isAutomatic(snapshot: MeshSnapshot, { service, port }: ClusterQuery, parts: ClusterParts): boolean {
  if (service.external || !meshConfigOf(snapshot).enableAutoMtls) return false
  if (service.resolution === 'none' || parts.isGuessedFromEndpoints) {
    const endpoints = instancesOf(snapshot, service, port.number)
    if (endpoints.length === 0 || endpoints.some(({ hasSidecar }) => !hasSidecar)) return false
  }
  return namespaceMtls(snapshot, service.namespace) !== 'DISABLE'
}

/** istio: xds/endpoints/mtls_checker.go checkMtlsEnabled. */
function transportTo(
  snapshot: MeshSnapshot,
  { rule, port }: ClusterQuery,
  tls: ClientTls,
  endpoint: Endpoint,
  subset: Subset | undefined,
): Conversation['transport'] {
  if (tls.mode === 'DISABLE') return 'plaintext'
  if (tls.mode === 'ISTIO_MUTUAL') return 'mtls'
  if (tls.mode !== 'AUTO') return 'tls'
  const written =
    writtenTlsMode(subset?.trafficPolicy?.policy, port.number) ??
    writtenTlsMode(rule?.trafficPolicy?.policy, port.number)
  if (!endpoint.hasSidecar) return 'plaintext'
  if (written !== undefined) return written === 'ISTIO_MUTUAL' ? 'mtls' : 'plaintext'
  return effectiveMtls(snapshot, endpoint, endpoint.port).mode === 'DISABLE' ? 'plaintext' : 'mtls'
}

/**
 * The TLS mode that a policy names for a port, its destination level standing in for a port without one of its own: unlike
 * everywhere else. istio: xds/endpoints/mtls_checker.go trafficPolicyTLSModeForPort.
 */
function writtenTlsMode(policy: Json | undefined, port: number): string | undefined {
  const whole = asObject(policy)
  const entry = blocks(whole.portLevelSettings).find(
    (candidate) => number(asObject(candidate.port).number) === port && block(candidate.tls) !== undefined,
  )
  const tls = block(entry?.tls) ?? block(whole.tls)
  return tls === undefined ? undefined : (text(tls.mode) ?? 'DISABLE')
}

function isPassthrough(loadBalancer: Json | undefined): boolean {
  return asObject(loadBalancer).simple === 'PASSTHROUGH'
}

const TLS_MODES: Readonly<Record<string, Exclude<ClientTls['mode'], 'AUTO'>>> = {
  DISABLE: 'DISABLE',
  SIMPLE: 'SIMPLE',
  MUTUAL: 'MUTUAL',
  ISTIO_MUTUAL: 'ISTIO_MUTUAL',
}
