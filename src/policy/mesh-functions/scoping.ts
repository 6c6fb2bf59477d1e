import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import {
  rivalDefaults,
  rivalSelectors,
  idleSelector,
  unknownImports,
  hiddenHosts,
  removedDefault,
  unscopedNamespace,
} from './scoping/sidecars.ts'

/** The functions of `mesh.scoping`. */
export const SCOPING_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'scoping.rivalDefaults',
    reads: [KINDS.sidecar],
    summary: 'another default Sidecar of the namespace',
    find: rivalDefaults,
  }),
  findingsFunction({
    name: 'scoping.rivalSelectors',
    reads: [KINDS.sidecar, KINDS.pod],
    summary: 'another Sidecar that selects the same workload',
    find: rivalSelectors,
  }),
  findingsFunction({
    name: 'scoping.idleSelector',
    reads: [KINDS.pod],
    summary: 'a selector that selects nothing',
    find: idleSelector,
  }),
  findingsFunction({
    name: 'scoping.unknownImports',
    reads: [KINDS.configMap, KINDS.namespace, KINDS.service, KINDS.serviceEntry],
    summary: 'imported hosts that nobody has',
    find: unknownImports,
  }),
  findingsFunction({
    name: 'scoping.hiddenHosts',
    reads: [
      KINDS.configMap,
      KINDS.namespace,
      KINDS.service,
      KINDS.serviceEntry,
      KINDS.sidecar,
      KINDS.virtualService,
      KINDS.pod,
    ],
    summary: 'hosts in use that a Sidecar hides',
    find: hiddenHosts,
  }),
  findingsFunction({
    name: 'scoping.removedDefault',
    reads: [KINDS.configMap, KINDS.sidecar],
    summary: 'the default Sidecar that goes',
    find: removedDefault,
  }),
  findingsFunction({
    name: 'scoping.unscopedNamespace',
    reads: [KINDS.configMap, KINDS.sidecar, KINDS.pod],
    summary: 'a namespace that no Sidecar scopes',
    find: unscopedNamespace,
  }),
]
