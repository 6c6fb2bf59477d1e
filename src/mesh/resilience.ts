import { asObject, type JsonObject } from '../kube/json.ts'
import { parseDuration, SECOND, type Duration } from '../kube/duration.ts'
import { block, number } from './fields.ts'
import type { TrafficPolicy } from './traffic-policy.ts'

/** Limits of one client proxy towards a host. Absent: no limit. */
export interface Limits {
  readonly maxConnections?: number
  readonly http1MaxPendingRequests?: number
  readonly http2MaxRequests?: number
  readonly maxRetries?: number
  readonly maxRequestsPerConnection?: number
  readonly idleTimeout?: Duration
}

/** When a client stops sending to an endpoint, defaults filled in; null where that detector does not eject. */
export interface OutlierDetection {
  readonly consecutive5xxErrors: number | null
  readonly consecutiveGatewayErrors: number | null
  /** Only where local errors are counted apart. */
  readonly consecutiveLocalOriginFailures?: number
  readonly interval: Duration
  readonly baseEjectionTime: Duration
  readonly maxEjectionPercent: number
  readonly minHealthPercent: number
}

/** How many retries may be under way at once, relative to the requests; `maxRetries` has no effect beside it. */
export interface RetryBudget {
  readonly percent: number
  readonly minRetryConcurrency: number
  readonly budgetInterval?: Duration
}

/** istio: networking/core/cluster_traffic_policy.go applyConnectionPool. Zero means unset. */
export function limitsOf(policy: TrafficPolicy): Limits {
  const pool = policy.connectionPool?.value ?? {}
  const http = asObject(pool.http)
  const tcp = asObject(pool.tcp)
  const idleTimeout = parseDuration(http.idleTimeout) ?? parseDuration(tcp.idleTimeout)
  return {
    ...positive(tcp, 'maxConnections'),
    ...positive(http, 'http1MaxPendingRequests'),
    ...positive(http, 'http2MaxRequests'),
    ...positive(http, 'maxRetries'),
    ...positive(http, 'maxRequestsPerConnection'),
    ...(idleTimeout === undefined ? {} : { idleTimeout }),
  }
}

/** How long a client waits for a connection; undefined where the mesh's value holds. */
export function connectTimeoutOf(policy: TrafficPolicy): Duration | undefined {
  return parseDuration(asObject(policy.connectionPool?.value.tcp).connectTimeout)
}

/** Undefined: off. istio: networking/core/cluster_traffic_policy.go applyOutlierDetection; defaults are Envoy's. */
export function outlierDetectionOf(policy: TrafficPolicy): OutlierDetection | undefined {
  const settings = policy.outlierDetection?.value
  if (settings === undefined) return undefined
  const gatewayErrors = number(settings.consecutiveGatewayErrors) ?? 0
  const localFailures = number(settings.consecutiveLocalOriginFailures) || 5
  return {
    consecutive5xxErrors: (number(settings.consecutive5xxErrors) ?? 5) || null,
    consecutiveGatewayErrors: gatewayErrors || null,
    ...(settings.splitExternalLocalOriginErrors === true ? { consecutiveLocalOriginFailures: localFailures } : {}),
    interval: parseDuration(settings.interval) ?? 10n * SECOND,
    baseEjectionTime: parseDuration(settings.baseEjectionTime) ?? 30n * SECOND,
    maxEjectionPercent: number(settings.maxEjectionPercent) || 10,
    minHealthPercent: number(settings.minHealthPercent) ?? 0,
  }
}

/** Undefined: none. istio: networking/core/cluster_traffic_policy.go applyRetryBudget. */
export function retryBudgetOf(policy: TrafficPolicy): RetryBudget | undefined {
  const settings = policy.retryBudget?.value
  if (settings === undefined) return undefined
  const budgetInterval = parseDuration(settings.budgetInterval)
  return {
    percent: number(settings.percent) ?? 20,
    minRetryConcurrency: number(settings.minRetryConcurrency) || 3,
    ...(budgetInterval === undefined ? {} : { budgetInterval }),
  }
}

export type Balancer = 'LEAST_REQUEST' | 'ROUND_ROBIN' | 'RANDOM' | 'RING_HASH' | 'MAGLEV' | 'PASSTHROUGH'

/** The algorithm that a policy asks for. istio: networking/core/cluster_traffic_policy.go applyLoadBalancer. */
export function balancerOf(policy: TrafficPolicy): Balancer {
  const settings = policy.loadBalancer?.value ?? {}
  const hash = block(settings.consistentHash)
  if (hash !== undefined) return block(hash.maglev) === undefined ? 'RING_HASH' : 'MAGLEV'
  switch (settings.simple) {
    case 'ROUND_ROBIN':
    case 'RANDOM':
    case 'PASSTHROUGH':
      return settings.simple
    default:
      return 'LEAST_REQUEST'
  }
}

function positive<K extends string>(settings: JsonObject, key: K): { readonly [P in K]?: number } {
  const value = number(settings[key])
  const found: { [P in K]?: number } = {}
  if (value !== undefined && value > 0) found[key] = value
  return found
}
