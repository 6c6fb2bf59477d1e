import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.authorization`. */
export const AUTHORIZATION_FUNCTIONS: readonly MeshFunction[] = []
