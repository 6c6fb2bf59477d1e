import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.ambient`. */
export const AMBIENT_FUNCTIONS: readonly MeshFunction[] = []
