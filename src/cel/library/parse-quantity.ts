import { Quantity } from './quantity-value.ts'

/** Powers of the suffixes: binary ones of 2, decimal ones of 10. */
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

const FORM = /^([-+]?)0*(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/
const LARGEST = 2n ** 63n - 1n
const NANO = -9

/**
 * Reads a quantity: digits with or without a point, and a suffix; undefined for anything else. What is smaller than a
 * billionth is rounded up. Source: k8s.io/apimachinery `pkg/api/resource/quantity.go`, ParseQuantity.
 */
export function parseQuantity(text: string): Quantity | undefined {
  const match = text === '' ? null : FORM.exec(text)
  const suffix = match === null ? undefined : parseSuffix(match[4] ?? '')
  if (match === null || suffix === undefined) return undefined
  const [, sign, stripped = '', fraction = ''] = match
  const whole = stripped === '' ? '0' : stripped
  const size = BigInt(`${whole}${fraction}`)
  const digits = sign === '-' ? -size : size
  const short = suffix.base === 2 ? shortBinary(digits, suffix.power, { whole, fraction }) : undefined
  if (short !== undefined) return short
  const exponent = suffix.power - fraction.length
  if (suffix.base === 10 && whole.length + fraction.length <= 18 && exponent >= NANO)
    return new Quantity(digits, exponent, 'integer')
  // Go's decimals have digits.
  if (!/\d/.test(text.slice(0, text.length - (match[4] ?? '').length))) return undefined
  return suffix.base === 2 ? largeBinary(digits, suffix.power, fraction.length) : roundUp(digits, exponent)
}

interface Suffix {
  readonly base: 2 | 10
  readonly power: number
}

function parseSuffix(text: string): Suffix | undefined {
  const decimal = Object.hasOwn(DECIMAL, text) ? DECIMAL[text] : undefined
  if (decimal !== undefined) return { base: 10, power: decimal }
  const binary = Object.hasOwn(BINARY, text) ? BINARY[text] : undefined
  if (binary !== undefined) return { base: 2, power: binary }
  const exponent = /^[eE]([-+]?\d{1,18})$/.exec(text)?.[1]
  // Go keeps 32 bits of it.
  return exponent === undefined ? undefined : { base: 10, power: Number(BigInt.asIntN(32, BigInt(exponent))) }
}

/** Whole numbers of the smaller units, if they have so few digits that Kubernetes keeps an integer. */
function shortBinary(
  digits: bigint,
  power: number,
  { whole, fraction }: { readonly whole: string; readonly fraction: string },
): Quantity | undefined {
  const precision = 15 - whole.length - Math.trunc((power * 3) / 10) - 1
  return fraction === '' && precision >= 0 ? new Quantity(digits * 2n ** BigInt(power), 0, 'integer') : undefined
}

/** Not more than 64 bits hold. */
function largeBinary(digits: bigint, power: number, decimals: number): Quantity {
  const rounded = roundUp(digits * 2n ** BigInt(power), -decimals)
  const limit = LARGEST * 10n ** 9n
  const size = rounded.digits < 0n ? -rounded.digits : rounded.digits
  if (size <= limit) return rounded
  return new Quantity(rounded.digits < 0n ? -limit : limit, NANO, 'decimal')
}

/** Billionths, rounded away from zero; what is larger than any of them is kept as it is. */
function roundUp(digits: bigint, exponent: number): Quantity {
  const size = digits < 0n ? -digits : digits
  const sign = digits < 0n ? -1n : 1n
  const shift = exponent - NANO
  if (size === 0n || shift > 10_000) return new Quantity(digits, exponent, 'decimal')
  if (shift >= 0) return new Quantity(digits * 10n ** BigInt(shift), NANO, 'decimal')
  if (-shift > String(size).length) return new Quantity(sign, NANO, 'decimal')
  const by = 10n ** BigInt(-shift)
  return new Quantity(sign * ((size + by - 1n) / by), NANO, 'decimal')
}
