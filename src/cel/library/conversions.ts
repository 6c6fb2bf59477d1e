import { UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import { FunctionError, type Library } from './library.ts'

/** Conversions are named anew, since the engine's own cannot be replaced. Libraries add those of their types. */
export const CONVERSIONS = { int: 'to_int', uint: 'to_uint', double: 'to_double', string: 'to_string', bool: 'to_bool' }

/** Conversions between scalars as Go makes them. Source: cel-go `common/types/{int,uint,double,string,bytes}.go`. */
export const conversionsLibrary: Library = {
  replaces: CONVERSIONS,
  register(environment) {
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    for (const [type, name] of Object.entries(CONVERSIONS))
      define(`${name}(${type}): ${type}`, (value: unknown) => value)
    define('to_int(uint): int', ({ value }: UnsignedInt) => signed(value))
    define('to_int(double): int', (value: number) => {
      // Also the least integer is refused: cel-go `common/types/overflow.go`, doubleToInt64Checked.
      if (!(value > -(2 ** 63) && value < 2 ** 63)) throw new FunctionError('integer overflow')
      return BigInt(Math.trunc(value))
    })
    define('to_int(string): int', (text: string) => signed(integerOf(text, /^[-+]?\d+$/, 'int')))
    define('to_uint(int): uint', unsigned)
    define('to_uint(double): uint', (value: number) => {
      if (!(value >= 0 && value < 2 ** 64)) throw new FunctionError('unsigned integer overflow')
      return unsigned(BigInt(Math.trunc(value)))
    })
    define('to_uint(string): uint', (text: string) => unsigned(integerOf(text, /^\d+$/, 'uint')))
    define('to_double(int): double', Number)
    define('to_double(uint): double', ({ value }: UnsignedInt) => Number(value))
    define('to_double(string): double', parseDouble)
    define('to_string(int): string', String)
    define('to_string(uint): string', ({ value }: UnsignedInt) => String(value))
    define('to_string(bool): string', String)
    define('to_string(double): string', formatDouble)
    define('to_string(bytes): string', decode)
    define('to_bool(string): bool', (text: string) => {
      if (TRUE.has(text)) return true
      if (FALSE.has(text)) return false
      throw new FunctionError(`"${text}" is no bool`)
    })
  },
}

// Go's strconv.ParseBool.
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

function integerOf(text: string, form: RegExp, type: string): bigint {
  // No integer of 64 bits has more digits, but for zeros before them.
  const digits = text.replace(/^([-+]?)0+(?=\d)/, '$1')
  if (!form.test(text) || digits.length > 20) throw new FunctionError(`"${text}" is no ${type}`)
  return BigInt(digits.replace('+', ''))
}

function signed(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  throw new FunctionError('integer overflow')
}

function unsigned(value: bigint): UnsignedInt {
  if (BigInt.asUintN(64, value) === value) return new UnsignedInt(value)
  throw new FunctionError('unsigned integer overflow')
}

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/
const NAMED = /^([-+]?)(inf|infinity|nan)$/i
const HEXADECIMAL = /^([-+]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([-+]?\d+)$/

/** Go's strconv.ParseFloat; what is too large for a double is an error. */
function parseDouble(text: string): number {
  const [, sign, name] = NAMED.exec(text) ?? []
  if (name?.toLowerCase() === 'nan' && sign === '') return Number.NaN
  if (name !== undefined && name.toLowerCase() !== 'nan') return sign === '-' ? -Infinity : Infinity
  // Underscores may stand between digits.
  const digits = text.replaceAll(/(?<=\d)_(?=\d)/g, '')
  const value = DECIMAL.test(digits) ? Number(digits) : parseHexadecimal(text)
  if (value !== undefined && Number.isFinite(value)) return value
  throw new FunctionError(`"${text}" is no double`)
}

function parseHexadecimal(text: string): number | undefined {
  const [, sign, whole = '', fraction = '', exponent] = HEXADECIMAL.exec(text) ?? []
  if (exponent === undefined || whole + fraction === '') return undefined
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length)
  return sign === '-' ? -value : value
}

/** Go's strconv.FormatFloat with format `g` and the fewest digits that tell it from all other doubles. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  if (Object.is(value, -0)) return '-0'
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const power = Number(exponent)
  if (power >= -4 && power < 6) return String(value)
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new FunctionError('the bytes are no UTF-8')
  }
}
