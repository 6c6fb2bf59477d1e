import type { MeshFunction } from './mesh-function.ts'

/** The functions of `mesh.resilience`. */
export const RESILIENCE_FUNCTIONS: readonly MeshFunction[] = []
