import type { Policy } from '../../src/policy/policy.ts'
import { policyFrom, policyText } from '../policy/policy-from.ts'

/** A policy on VirtualServices with this code. */
export function rule(code: string, spec: string): Policy {
  return policyFrom(policyText(spec, { code, name: code.toLowerCase() }))
}

/** A policy with one validation that looks at the object, and one that looks at the mesh. */
export const MIXED = rule(
  'MIXED-1',
  `validations:
  - { expression: "size(object.spec.hosts) > 1", message: one host }
  - { findings: "mesh.routing.unknownDestinations(object, params)" }`,
)
