import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.routing`. */
export const ROUTING_FUNCTIONS: readonly MeshFunction[] = []
