import { findingsFunction } from './findings-function.ts'
import { missingProxy, unfilledImage, unknownRevision } from './injection/proxies.ts'
import type { MeshFunction } from './mesh-function.ts'
import { INJECTED } from './reads.ts'
import { KINDS } from '../../mesh/kinds.ts'

/** The functions of `mesh.injection`. */
export const INJECTION_FUNCTIONS: readonly MeshFunction[] = [
  findingsFunction({
    name: 'injection.missingProxy',
    reads: INJECTED,
    summary: 'a Pod that runs without the proxy it should have',
    find: missingProxy,
  }),
  findingsFunction({
    name: 'injection.unfilledImage',
    reads: INJECTED,
    summary: 'a proxy image that no injector fills in',
    find: unfilledImage,
  }),
  findingsFunction({
    name: 'injection.unknownRevision',
    reads: [KINDS.mutatingWebhook],
    summary: 'a revision that no injector answers to',
    find: unknownRevision,
  }),
]
