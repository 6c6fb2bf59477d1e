import { KINDS } from '../../mesh/kinds.ts'
import { findingsFunction } from './findings-function.ts'
import { idleSelector } from './idle-selector.ts'
import type { MeshFunction } from './mesh-function.ts'
import { droppedTls, refusedClients } from './mtls/client-tls.ts'
import { meshDefault, plaintext, weakened } from './mtls/effective-modes.ts'
import { rivalNamespacePolicies, rivalSelectors } from './mtls/rivals.ts'
import { INJECTED, MESH, REGISTRY, WORKLOADS } from './reads.ts'

/** The functions of `mesh.mtls`. */
export const MTLS_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'mtls.meshDefault',
    reads: [...MESH, KINDS.peerAuthentication],
    summary: "the mesh's own STRICT that is missing or goes",
    find: meshDefault,
  }),
  findingsFunction({
    name: 'mtls.weakened',
    reads: [...INJECTED, KINDS.peerAuthentication],
    summary: 'workloads that accept plaintext once this goes or changes',
    find: weakened,
  }),
  findingsFunction({
    name: 'mtls.plaintext',
    reads: [...INJECTED, KINDS.peerAuthentication],
    summary: 'workloads that accept plaintext, whatever mix of objects makes them',
    find: plaintext,
  }),
  findingsFunction({
    name: 'mtls.rivalNamespacePolicies',
    reads: [...MESH, KINDS.peerAuthentication],
    summary: 'another PeerAuthentication for the whole namespace',
    find: rivalNamespacePolicies,
  }),
  findingsFunction({
    name: 'mtls.rivalSelectors',
    reads: [...MESH, ...WORKLOADS, KINDS.peerAuthentication],
    summary: 'another PeerAuthentication that selects the same workload',
    find: rivalSelectors,
  }),
  findingsFunction({
    name: 'mtls.idleSelector',
    reads: [...MESH, ...WORKLOADS],
    summary: 'a selector that selects nothing',
    find: idleSelector,
  }),
  findingsFunction({
    name: 'mtls.refusedClients',
    reads: [...REGISTRY, ...INJECTED, KINDS.destinationRule, KINDS.peerAuthentication],
    summary: 'client TLS that a STRICT server refuses',
    find: refusedClients,
  }),
  findingsFunction({
    name: 'mtls.droppedTls',
    reads: [...REGISTRY, ...INJECTED, KINDS.destinationRule],
    summary: 'the TLS of a wider DestinationRule that a narrower one drops',
    find: droppedTls,
  }),
]
