import { FunctionError, type Library } from './library.ts'
import { parseQuantity } from './parse-quantity.ts'
import { addQuantities, compareQuantities, integerOf, negateQuantity, Quantity, signOf } from './quantity-value.ts'

const TYPE = 'kubernetes.Quantity'

/**
 * Kubernetes quantities (`1.5Gi`, `100m`, `1e3`), exact to a billionth as there.
 * Source: k8s.io/apiserver `pkg/cel/library/quantity.go`.
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
    define(`sign(${TYPE}): int`, ({ digits }: Quantity) => BigInt(signOf(digits)))
    define(`${TYPE}.isInteger(): bool`, (quantity: Quantity) => integerOf(quantity) !== undefined)
    define(`${TYPE}.asInteger(): int`, (quantity: Quantity) => {
      const integer = integerOf(quantity)
      if (integer === undefined) throw new FunctionError('the quantity is not an integer of 64 bits')
      return integer
    })
    define(`${TYPE}.asApproximateFloat(): double`, ({ digits, exponent }: Quantity) =>
      exponent === 0 ? Number(digits) : Number(digits) * Number(`1e${exponent}`),
    )
    define(`${TYPE}.isGreaterThan(${TYPE}): bool`, (a: Quantity, b: Quantity) => compareQuantities(a, b) > 0)
    define(`${TYPE}.isLessThan(${TYPE}): bool`, (a: Quantity, b: Quantity) => compareQuantities(a, b) < 0)
    define(`${TYPE}.compareTo(${TYPE}): int`, (a: Quantity, b: Quantity) => BigInt(Math.sign(compareQuantities(a, b))))
    define(`${TYPE}.add(${TYPE}): ${TYPE}`, addQuantities)
    define(`${TYPE}.add(int): ${TYPE}`, (a: Quantity, b: bigint) => addQuantities(a, new Quantity(b, 0, 'integer')))
    define(`${TYPE}.sub(${TYPE}): ${TYPE}`, (a: Quantity, b: Quantity) => addQuantities(a, negateQuantity(b)))
    define(`${TYPE}.sub(int): ${TYPE}`, (a: Quantity, b: bigint) => addQuantities(a, new Quantity(-b, 0, 'integer')))
  },
}
