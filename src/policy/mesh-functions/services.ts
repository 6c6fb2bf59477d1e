import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.services`. */
export const SERVICES_FUNCTIONS: readonly MeshFunction[] = []
