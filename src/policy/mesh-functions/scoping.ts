import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import { INJECTED, MESH, REGISTRY, WORKLOADS } from './reads.ts'
import { hiddenHosts } from './scoping/hidden-hosts.ts'
import { rivalDefaults, rivalSelectors, idleSelector, unknownImports, defaultSidecar } from './scoping/sidecars.ts'

/** The functions of `mesh.scoping`. */
export const SCOPING_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'scoping.rivalDefaults',
    reads: [...MESH, KINDS.sidecar],
    summary: 'another default Sidecar of the namespace',
    find: rivalDefaults,
  }),
  findingsFunction({
    name: 'scoping.rivalSelectors',
    reads: [...MESH, ...WORKLOADS, KINDS.sidecar],
    summary: 'another Sidecar that selects the same workload',
    find: rivalSelectors,
  }),
  findingsFunction({
    name: 'scoping.idleSelector',
    reads: [...MESH, ...WORKLOADS],
    summary: 'a selector that selects nothing',
    find: idleSelector,
  }),
  findingsFunction({
    name: 'scoping.unknownImports',
    reads: REGISTRY,
    summary: 'imported hosts that nobody has',
    find: unknownImports,
  }),
  findingsFunction({
    name: 'scoping.hiddenHosts',
    reads: [...REGISTRY, ...WORKLOADS, KINDS.sidecar, KINDS.virtualService, KINDS.authorizationPolicy],
    summary: 'hosts in use that a Sidecar hides',
    find: hiddenHosts,
  }),
  findingsFunction({
    name: 'scoping.defaultSidecar',
    reads: [...INJECTED, KINDS.sidecar],
    summary: 'the Sidecar that scopes a namespace, missing or going',
    find: defaultSidecar,
  }),
]
