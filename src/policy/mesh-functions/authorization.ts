import { KINDS } from '../../mesh/kinds.ts'
import { meshDefaultDeny, namespaceDefaultDeny } from './authorization/default-deny.ts'
import { uncoveredBehindGateway } from './authorization/ingress.ts'
import { unknownAccounts, unknownNamespaces } from './authorization/known-sources.ts'
import { identitiesWithoutMtls, selectedGateways } from './authorization/reach.ts'
import { optionalTokens } from './authorization/tokens.ts'
import { findingsFunction } from './findings-function.ts'
import { idleSelector } from './idle-selector.ts'
import type { MeshFunction } from './mesh-function.ts'
import { INJECTED, MESH, REGISTRY, WORKLOADS } from './reads.ts'

/** The functions of `mesh.authorization`. */
export const AUTHORIZATION_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'authorization.meshDefaultDeny',
    reads: [...MESH, KINDS.authorizationPolicy],
    summary: "the mesh's own default deny that is missing or goes",
    find: meshDefaultDeny,
  }),
  findingsFunction({
    name: 'authorization.namespaceDefaultDeny',
    reads: [...INJECTED, KINDS.authorizationPolicy],
    summary: 'the default deny of a namespace that is missing or goes',
    find: namespaceDefaultDeny,
  }),
  findingsFunction({
    name: 'authorization.unknownNamespaces',
    reads: [...MESH, ...WORKLOADS],
    summary: 'callers of namespaces that are not there',
    find: unknownNamespaces,
  }),
  findingsFunction({
    name: 'authorization.unknownAccounts',
    reads: [...MESH, ...WORKLOADS, KINDS.serviceAccount, KINDS.k8sGateway],
    summary: 'callers with service accounts that are not there',
    find: unknownAccounts,
  }),
  findingsFunction({
    name: 'authorization.identitiesWithoutMtls',
    reads: [...INJECTED, KINDS.peerAuthentication],
    summary: 'identities asked for where plaintext is all that is taken',
    find: identitiesWithoutMtls,
  }),
  findingsFunction({
    name: 'authorization.idleSelector',
    reads: [...MESH, ...WORKLOADS],
    summary: 'a selector that selects nothing',
    find: idleSelector,
  }),
  findingsFunction({
    name: 'authorization.selectedGateways',
    reads: [...MESH, ...WORKLOADS],
    summary: 'a selector that selects a Gateway of the Gateway API',
    find: selectedGateways,
  }),
  findingsFunction({
    name: 'authorization.uncoveredBehindGateway',
    reads: [...REGISTRY, ...INJECTED, KINDS.gateway, KINDS.virtualService, KINDS.authorizationPolicy],
    summary: 'workloads behind a gateway that no policy covers',
    find: uncoveredBehindGateway,
  }),
  findingsFunction({
    name: 'authorization.optionalTokens',
    reads: [...INJECTED, KINDS.authorizationPolicy, KINDS.requestAuthentication],
    summary: 'tokens that are checked and not asked for',
    find: optionalTokens,
  }),
]
