import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.gateways`. */
export const GATEWAYS_FUNCTIONS: readonly MeshFunction[] = []
