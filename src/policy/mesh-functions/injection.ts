import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.injection`. */
export const INJECTION_FUNCTIONS: readonly MeshFunction[] = []
