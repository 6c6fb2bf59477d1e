import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import { REGISTRY, WORKLOADS } from './reads.ts'
import { retryAmplification, timeoutInversion } from './resilience/call-paths.ts'
import { portsWithoutDetection, portsWithoutLimits } from './resilience/port-settings.ts'
import { unboundedRetries } from './resilience/unbounded-retries.ts'

const CALLS = [
  ...REGISTRY,
  ...WORKLOADS,
  KINDS.virtualService,
  KINDS.destinationRule,
  KINDS.sidecar,
  KINDS.authorizationPolicy,
  KINDS.gateway,
]

/** The functions of `mesh.resilience`. */
export const RESILIENCE_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'resilience.retryAmplification',
    reads: CALLS,
    summary: 'paths of calls on which retries multiply to more than params.maxRequests',
    find: retryAmplification,
  }),
  findingsFunction({
    name: 'resilience.timeoutInversions',
    reads: CALLS,
    summary: 'calls that may take longer than the caller of their caller waits',
    find: timeoutInversion,
  }),
  findingsFunction({
    name: 'resilience.unboundedRetries',
    reads: [...REGISTRY, KINDS.destinationRule, KINDS.virtualService],
    summary: 'routes that retry towards a host that nothing protects from them',
    find: unboundedRetries,
  }),
  findingsFunction({
    name: 'resilience.portsWithoutDetection',
    reads: [KINDS.configMap],
    summary: 'ports whose own settings leave them without outlier detection',
    find: portsWithoutDetection,
  }),
  findingsFunction({
    name: 'resilience.portsWithoutLimits',
    reads: [KINDS.configMap],
    summary: 'ports whose own settings leave them without limits',
    find: portsWithoutLimits,
  }),
]
