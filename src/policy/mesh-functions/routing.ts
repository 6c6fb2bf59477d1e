import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import { MESH, REGISTRY, WORKLOADS } from './reads.ts'
import { ineffectiveMatches, rivalHosts, unboundHosts, unreachableRoutes } from './routing/claims.ts'
import { emptySubsets, idleSubsetPolicies, rivalRules, unknownHost, unusedRule } from './routing/destination-rules.ts'
import { unknownDestinations, unknownGateways, unknownMirrors, unknownSubsets } from './routing/destinations.ts'
import { missingPorts, unknownPorts } from './routing/ports.ts'
import { removedReferences } from './routing/removals.ts'
import { conflictingProtocols, hijackedHosts, repeatedEntries } from './routing/service-entries.ts'

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
    reads: [KINDS.gateway, KINDS.k8sGateway],
    summary: 'Gateways that do not exist',
    find: unknownGateways,
  }),
  findingsFunction({
    name: 'routing.rivalHosts',
    reads: [...MESH, KINDS.virtualService],
    summary: 'hosts that another VirtualService of the mesh routes too',
    find: rivalHosts,
  }),
  findingsFunction({
    name: 'routing.unreachableRoutes',
    reads: [],
    summary: 'entries that no request reaches',
    find: unreachableRoutes,
  }),
  findingsFunction({
    name: 'routing.ineffectiveMatches',
    reads: [],
    summary: 'conditions that no request reaches',
    find: ineffectiveMatches,
  }),
  findingsFunction({
    name: 'routing.unboundHosts',
    reads: [
      ...REGISTRY,
      ...WORKLOADS,
      KINDS.gateway,
      KINDS.k8sGateway,
      KINDS.virtualService,
      KINDS.destinationRule,
      KINDS.mutatingWebhook,
    ],
    summary: 'hosts that the named Gateways do not serve',
    find: unboundHosts,
  }),
  findingsFunction({
    name: 'routing.removedReferences',
    reads: [...REGISTRY, KINDS.virtualService, KINDS.destinationRule, KINDS.gateway],
    summary: 'routes that still need what goes',
    find: removedReferences,
  }),
  findingsFunction({
    name: 'routing.unknownHost',
    reads: REGISTRY,
    summary: 'a host that no Service and no ServiceEntry has',
    find: unknownHost,
  }),
  findingsFunction({
    name: 'routing.emptySubsets',
    reads: [...REGISTRY, ...WORKLOADS, KINDS.virtualService],
    summary: 'subsets that select no workload',
    find: emptySubsets,
  }),
  findingsFunction({
    name: 'routing.rivalRules',
    reads: [...MESH, KINDS.destinationRule],
    summary: 'other rules of the namespace for the same host',
    find: rivalRules,
  }),
  findingsFunction({
    name: 'routing.idleSubsetPolicies',
    reads: [...MESH, KINDS.virtualService],
    summary: 'policies of subsets that no route names',
    find: idleSubsetPolicies,
  }),
  findingsFunction({
    name: 'routing.unusedRule',
    reads: REGISTRY,
    summary: 'a rule that most clients do not look at',
    find: unusedRule,
  }),
  findingsFunction({
    name: 'routing.conflictingProtocols',
    reads: REGISTRY,
    summary: 'ports that another ServiceEntry gives another protocol',
    find: conflictingProtocols,
  }),
  findingsFunction({
    name: 'routing.repeatedEntries',
    reads: REGISTRY,
    summary: 'ports that another ServiceEntry gives the host too',
    find: repeatedEntries,
  }),
  findingsFunction({
    name: 'routing.hijackedHosts',
    reads: REGISTRY,
    summary: 'hosts that belong to somebody else',
    find: hijackedHosts,
  }),
]
