import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import type { MeshFunction } from './mesh-function.ts'
import { INJECTED, MESH, WORKLOADS } from './reads.ts'
import { differentProtocols, localListeners, undeclaredProtocols } from './services/ports.ts'

/** The functions of `mesh.services`. */
export const SERVICE_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'services.undeclaredProtocols',
    reads: [],
    summary: 'ports whose name says no protocol',
    find: undeclaredProtocols,
  }),
  findingsFunction({
    name: 'services.differentProtocols',
    reads: [...INJECTED, KINDS.service, KINDS.serviceEntry],
    summary: 'ports of which Services say different protocols',
    find: differentProtocols,
  }),
  findingsFunction({
    name: 'services.localListeners',
    reads: [...MESH, ...WORKLOADS, KINDS.service, KINDS.serviceEntry, KINDS.sidecar],
    summary: 'ports on which a container listens for its own pod alone',
    find: localListeners,
  }),
]
