import { FunctionError, type Library } from './library.ts'

/**
 * Kubernetes quantities (`1.5Gi`, `100m`, `1e3`), exact to a billionth as there.
 * Source: k8s.io/apiserver `pkg/cel/library/quantity.go`; k8s.io/apimachinery `pkg/api/resource/quantity.go`, ParseQuantity.
 */
export const quantityLibrary: Library = {
  register(environment) {
    environment.registerType(TYPE, { ctor: Quantity })
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    define(`quantity(string): ${TYPE}`, (text: string) => {
      const quantity = parseQuantity(text)
      if (quantity === undefined)
        throw new FunctionError(`"${text}" is not a quantity; write a number with a suffix such as m, k, Mi or Gi`)
      return quantity
    })
    define('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
    // The only one of them that is no member: apiserver `pkg/cel/library/quantity.go`.
    define(`sign(${TYPE}): int`, ({ nanos }: Quantity) => BigInt(compare(nanos, 0n)))
    define(`${TYPE}.isInteger(): bool`, (quantity: Quantity) => toInteger(quantity) !== undefined)
    define(`${TYPE}.asInteger(): int`, (quantity: Quantity) => {
      const integer = toInteger(quantity)
      if (integer === undefined) throw new FunctionError('the quantity is not an integer of 64 bits')
      return integer
    })
    define(`${TYPE}.asApproximateFloat(): double`, ({ nanos }: Quantity) => Number(nanos) / 1e9)
    define(`${TYPE}.isGreaterThan(${TYPE}): bool`, (a: Quantity, b: Quantity) => a.nanos > b.nanos)
    define(`${TYPE}.isLessThan(${TYPE}): bool`, (a: Quantity, b: Quantity) => a.nanos < b.nanos)
    define(`${TYPE}.compareTo(${TYPE}): int`, (a: Quantity, b: Quantity) => BigInt(compare(a.nanos, b.nanos)))
    define(`${TYPE}.add(${TYPE}): ${TYPE}`, (a: Quantity, b: Quantity) => new Quantity(a.nanos + b.nanos))
    define(`${TYPE}.add(int): ${TYPE}`, (a: Quantity, b: bigint) => new Quantity(a.nanos + b * BILLION))
    define(`${TYPE}.sub(${TYPE}): ${TYPE}`, (a: Quantity, b: Quantity) => new Quantity(a.nanos - b.nanos))
    define(`${TYPE}.sub(int): ${TYPE}`, (a: Quantity, b: bigint) => new Quantity(a.nanos - b * BILLION))
    environment.registerOperator(`${TYPE} == ${TYPE}`, (a: Quantity, b: Quantity) => a.nanos === b.nanos)
  },
}

const TYPE = 'kubernetes.Quantity'
const BILLION = 1_000_000_000n

/** A quantity as a number of billionths. */
class Quantity {
  readonly nanos: bigint

  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** Powers of the suffixes: binary ones of 2, decimal ones of 10. */
const BINARY: Readonly<Record<string, bigint>> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n }
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }

function parseQuantity(text: string): Quantity | undefined {
  const match = /^([-+]?)(\d+\.?\d*|\.\d+)(?:([KMGTPE]i)|[eE]([-+]?\d{1,3})|([numkMGTPE]?))$/.exec(text)
  if (match === null) return undefined
  const [, sign, digits = '', binary, exponent, decimal = ''] = match
  const [whole = '', fraction = ''] = digits.split('.')
  const mantissa = BigInt(`${whole}${fraction}` || '0')
  const factor = binary === undefined ? 1n : 2n ** (BINARY[binary] ?? 0n)
  const power =
    (exponent === undefined ? (binary === undefined ? (DECIMAL[decimal] ?? 0) : 0) : Number(exponent)) +
    9 -
    fraction.length
  const nanos =
    power >= 0 ? mantissa * factor * 10n ** BigInt(power) : divideUp(mantissa * factor, 10n ** BigInt(-power))
  return new Quantity(sign === '-' ? -nanos : nanos)
}

/** What is smaller than a billionth is rounded up, away from zero. */
function divideUp(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by
}

function toInteger({ nanos }: Quantity): bigint | undefined {
  const integer = nanos / BILLION
  return nanos % BILLION === 0n && BigInt.asIntN(64, integer) === integer ? integer : undefined
}

function compare(a: bigint, b: bigint): number {
  if (a < b) return -1
  return a > b ? 1 : 0
}
