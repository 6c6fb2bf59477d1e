import { readPolicies } from '../../src/sources/policy-files.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import type { Policy } from '../../src/policy/policy.ts'

/** Every policy that ships, compiled. */
export function shippedPolicies(): readonly Policy[] {
  const { policies, issues } = readPolicies(['policies'], createPolicyCompiler(MESH_FUNCTIONS))
  if (issues.length > 0) throw new Error(issues.map(({ file, message }) => `${file}: ${message}`).join('\n'))
  return policies
}
