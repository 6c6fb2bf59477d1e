import type { Library } from './library.ts'

const TYPES = [
  'google.protobuf.Duration',
  'google.protobuf.Timestamp',
  'kubernetes.Quantity',
  'kubernetes.Semver',
  'kubernetes.URL',
  'net.CIDR',
  'net.IP',
  'optional<dyn>',
]

/**
 * Values that are no scalars may be compared with null, and never are.
 * Source: cel-go `checker/types.go`, internalIsAssignableNull.
 */
export const nullEqualityLibrary: Library = {
  register(environment) {
    for (const type of TYPES) environment.registerOperator(`${type} == null`, () => false)
  },
}
