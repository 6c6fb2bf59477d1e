import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.scoping`. */
export const SCOPING_FUNCTIONS: readonly MeshFunction[] = []
