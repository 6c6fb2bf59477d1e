import type { KindName } from '../../mesh/kinds.ts'
import { memo } from '../../mesh/memo.ts'
import type { Policy } from '../policy.ts'
import { AMBIENT_FUNCTIONS } from './ambient.ts'
import { AUTHORIZATION_FUNCTIONS } from './authorization.ts'
import { GATEWAY_FUNCTIONS } from './gateways.ts'
import { INJECTION_FUNCTIONS } from './injection.ts'
import type { MeshFunction } from './mesh-function.ts'
import { MTLS_FUNCTIONS } from './mtls.ts'
import { RESILIENCE_FUNCTIONS } from './resilience.ts'
import { ROUTING_FUNCTIONS } from './routing.ts'
import { SERVICE_FUNCTIONS } from './services.ts'
import { SCOPING_FUNCTIONS } from './scoping.ts'

/** Every function of `mesh.*` that expressions may call. */
export const MESH_FUNCTIONS: readonly MeshFunction[] = [
  ...MTLS_FUNCTIONS,
  ...AUTHORIZATION_FUNCTIONS,
  ...GATEWAY_FUNCTIONS,
  ...SCOPING_FUNCTIONS,
  ...ROUTING_FUNCTIONS,
  ...RESILIENCE_FUNCTIONS,
  ...AMBIENT_FUNCTIONS,
  ...INJECTION_FUNCTIONS,
  ...SERVICE_FUNCTIONS,
]

/** The kinds of other objects that a policy reads: those of the functions it calls, in order of name. */
export function kindsReadBy(policy: Policy): readonly KindName[] {
  return policy.program === undefined ? [] : kindsReadByFunctions(policy.program.functions)
}

/** The kinds that some functions of `mesh.*` read, in order of name. */
export const kindsReadByFunctions: (called: ReadonlySet<string>) => readonly KindName[] = memo((called) => {
  const kinds = MESH_FUNCTIONS.filter(({ name }) => called.has(name)).flatMap(({ reads }) => reads)
  return [...new Set(kinds)].sort()
})
