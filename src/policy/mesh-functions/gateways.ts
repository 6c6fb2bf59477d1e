import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import { crashingHosts } from './gateways/crashing-hosts.ts'
import { rivalServers, takenHosts } from './gateways/rivals.ts'
import { idleSelector, unexposed } from './gateways/selected-pods.ts'
import { belowMeshMinimum, relaxedHosts, unusableCredentials } from './gateways/tls.ts'
import type { MeshFunction } from './mesh-function.ts'
import { INJECTED, REGISTRY } from './reads.ts'

/** The functions of `mesh.gateways`. */
export const GATEWAY_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'gateways.idleSelector',
    reads: INJECTED,
    summary: 'a selector that selects no gateway',
    find: idleSelector,
  }),
  findingsFunction({
    name: 'gateways.unexposed',
    reads: [...INJECTED, ...REGISTRY],
    summary: 'servers on a port that no Service of the gateway has',
    find: unexposed,
  }),
  findingsFunction({
    name: 'gateways.rivalServers',
    reads: [...INJECTED, KINDS.gateway],
    summary: 'servers of other Gateways for the same hosts',
    find: rivalServers,
  }),
  findingsFunction({
    name: 'gateways.takenHosts',
    reads: [...INJECTED, KINDS.gateway],
    summary: 'hosts that another namespace has already',
    find: takenHosts,
  }),
  findingsFunction({
    name: 'gateways.unusableCredentials',
    reads: [...INJECTED, KINDS.secret],
    summary: 'Secrets that a server needs and does not get',
    find: unusableCredentials,
  }),
  findingsFunction({
    name: 'gateways.relaxedHosts',
    reads: [...INJECTED, ...REGISTRY, KINDS.gateway, KINDS.virtualService, KINDS.destinationRule],
    summary: 'hosts whose client certificate can be gone around',
    find: relaxedHosts,
  }),
  findingsFunction({
    name: 'gateways.belowMeshMinimum',
    reads: [KINDS.configMap],
    summary: "a lower version of TLS than the mesh's minimum",
    find: belowMeshMinimum,
  }),
  findingsFunction({
    name: 'gateways.crashingHosts',
    reads: [],
    summary: 'hosts in an order that crashes istiod',
    find: crashingHosts,
  }),
]
