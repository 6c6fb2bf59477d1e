import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.mtls`. */
export const MTLS_FUNCTIONS: readonly MeshFunction[] = []
