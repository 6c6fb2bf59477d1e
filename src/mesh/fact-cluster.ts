import { formatDuration, SECOND } from '../kube/duration.ts'
import type { JsonObject } from '../kube/json.ts'
import type { Cluster, ClusterSettings } from './cluster.ts'
import type { MeshConfig } from './mesh-config.ts'
import type { Limits, OutlierDetection, RetryBudget } from './resilience.ts'

/** A cluster as facts show it: durations as Go writes them, and nothing where a default holds. */
export function clusterFact(cluster: Cluster, config: MeshConfig): JsonObject {
  const { tls, endpoints } = cluster
  return {
    tls: tls.mode,
    ...(tls.sni === undefined ? {} : { sni: tls.sni }),
    ...(tls.subjectAltNames.length === 0 ? {} : { subjectAltNames: tls.subjectAltNames }),
    ...(endpoints === undefined || endpoints.length === 0
      ? {}
      : { endpoints: Object.fromEntries(endpoints.map(({ endpoint, transport }) => [endpoint.name, transport])) }),
    ...settingsFact(cluster, config),
  }
}

/** What a cluster does whatever its transport. */
export function settingsFact(cluster: ClusterSettings, config: MeshConfig): JsonObject {
  const { limits, outlierDetection, retryBudget } = cluster
  const connectTimeout = cluster.connectTimeout ?? config.connectTimeout
  return {
    lb: cluster.balancer,
    ...(Object.keys(limits).length === 0 ? {} : { limits: limitsFact(limits) }),
    ...(connectTimeout === USUAL_CONNECT_TIMEOUT ? {} : { connectTimeout: formatDuration(connectTimeout) }),
    ...(outlierDetection === undefined ? {} : { outlierDetection: outlierDetectionFact(outlierDetection) }),
    ...(retryBudget === undefined ? {} : { retryBudget: retryBudgetFact(retryBudget) }),
  }
}

function limitsFact({ idleTimeout, ...counts }: Limits): JsonObject {
  return { ...counts, ...(idleTimeout === undefined ? {} : { idleTimeout: formatDuration(idleTimeout) }) }
}

function outlierDetectionFact({ interval, baseEjectionTime, ...rest }: OutlierDetection): JsonObject {
  return { ...rest, interval: formatDuration(interval), baseEjectionTime: formatDuration(baseEjectionTime) }
}

function retryBudgetFact({ budgetInterval, ...rest }: RetryBudget): JsonObject {
  return { ...rest, ...(budgetInterval === undefined ? {} : { budgetInterval: formatDuration(budgetInterval) }) }
}

const USUAL_CONNECT_TIMEOUT = 10n * SECOND
