import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import {
  missingPorts,
  unknownDestinations,
  unknownGateways,
  unknownMirrors,
  unknownPorts,
  unknownSubsets,
} from './routing/destinations.ts'

const REGISTRY = [KINDS.configMap, KINDS.namespace, KINDS.service, KINDS.serviceEntry]

/** The functions of `mesh.routing`. */
export const ROUTING_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'routing.unknownDestinations',
    reads: REGISTRY,
    summary: 'destinations whose host this namespace cannot see',
    find: unknownDestinations,
  }),
  findingsFunction({
    name: 'routing.unknownMirrors',
    reads: REGISTRY,
    summary: 'mirrors whose host this namespace cannot see',
    find: unknownMirrors,
  }),
  findingsFunction({
    name: 'routing.unknownPorts',
    reads: REGISTRY,
    summary: 'ports that the host of a destination does not have',
    find: unknownPorts,
  }),
  findingsFunction({
    name: 'routing.missingPorts',
    reads: [...REGISTRY, KINDS.virtualService],
    summary: 'destinations that must say which of several ports they mean',
    find: missingPorts,
  }),
  findingsFunction({
    name: 'routing.unknownSubsets',
    reads: [...REGISTRY, KINDS.destinationRule],
    summary: 'subsets that the DestinationRule which decides does not define',
    find: unknownSubsets,
  }),
  findingsFunction({
    name: 'routing.unknownGateways',
    reads: [KINDS.gateway],
    summary: 'Gateways that do not exist',
    find: unknownGateways,
  }),
]
