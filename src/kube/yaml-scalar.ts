import type { Json } from './json.ts'

/**
 * The value of an unquoted scalar as Kubernetes reads it, which is neither YAML 1.1 nor 1.2: sigs.k8s.io/yaml
 * (go-yaml v2) knows `yes`, `on`, `y`, octals as `0777` and `0o777`, `1_000` and `0b11`, but no sexagesimals and no
 * dates, and leaves as text whatever does not fit 64 bits. `undefined` for infinity and NaN, which JSON cannot hold.
 * Source: sigs.k8s.io/yaml v1.6.0, goyaml.v2 `resolve.go`.
 */
export function resolvePlainScalar(text: string): Json | undefined {
  if (NULLS.has(text)) return null
  if (TRUES.has(text)) return true
  if (FALSES.has(text)) return false
  if (NOT_FINITE.test(text)) return undefined
  if (!STARTS_NUMBER.test(text)) return text
  const plain = text.replaceAll('_', '')
  const integer = parseInteger(plain)
  if (integer !== undefined) return integer
  return FLOAT.test(plain) ? finite(plain, text) : text
}

function parseInteger(plain: string): number | undefined {
  const match = INTEGER.exec(plain)
  if (match === null) return undefined
  const [, sign = '', digits = '', octal] = match
  const magnitude = BigInt(octal === undefined ? digits : `0o${octal}`)
  const value = sign === '-' ? -magnitude : magnitude
  const largest = sign === '' ? MAX_UINT64 : MAX_INT64
  if (value > largest || value < MIN_INT64) return undefined
  return Number(value)
}

function finite(plain: string, text: string): number | string {
  const value = Number(plain)
  return Number.isFinite(value) ? value : text
}

const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL'])
const TRUES: ReadonlySet<string> = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'])
const FALSES: ReadonlySet<string> = new Set([
  'n',
  'N',
  'no',
  'No',
  'NO',
  'off',
  'Off',
  'OFF',
  'false',
  'False',
  'FALSE',
])
const NOT_FINITE = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const STARTS_NUMBER = /^(?:[-+\d]|\.\d)/
const INTEGER = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|0(?=[0-7])([0-7]+)|0|[1-9]\d*)$/
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
const MAX_INT64 = 2n ** 63n - 1n
const MIN_INT64 = -(2n ** 63n)
const MAX_UINT64 = 2n ** 64n - 1n
