import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'

import type { Runtime, Work } from '../runtime.ts'
import { formatDuration, formatTimestamp, Instant } from '../time.ts'
import { compareValues } from '../value-order.ts'
import { formatDouble } from './conversions.ts'
import { FunctionError, sizeCost, type Library } from './library.ts'

/**
 * `'%d of %s'.format([1, 'a'])` and `strings.quote`. Source: cel-go `ext/formatting.go`, `ext/strings.go`.
 */
export const formatTextLibrary: Library = {
  register(environment, runtime) {
    environment.registerFunction(
      'string.format(list<dyn>): string',
      (text: string, args: readonly unknown[]) => format(text, args, runtime),
      { async: false },
    )
    environment.registerType('namespace.strings', { ctor: StringsNamespace })
    environment.registerConstant('strings', 'namespace.strings', new StringsNamespace())
    environment.registerFunction(
      'namespace.strings.quote(string): string',
      (_: unknown, text: string) => {
        runtime.charge(sizeCost(text.length))
        return quote(text)
      },
      { async: false },
    )
  },
}

/** What the name `strings` stands for; it has nothing but functions. */
class StringsNamespace {
  readonly functionsOnly = true
}

const CLAUSE = /%(?:%|(\.\d+)?(.)|$)/gsu

function format(text: string, args: readonly unknown[], runtime: Runtime): string {
  let used = 0
  let from = 0
  const parts: string[] = []
  for (const { 0: clause, 1: precision, 2: verb, index } of text.matchAll(CLAUSE)) {
    runtime.charge(PER_PART)
    parts.push(text.slice(from, index))
    from = index + clause.length
    if (clause === '%%') {
      parts.push('%')
      continue
    }
    if (verb === undefined) throw new FunctionError('unexpected end of the format string')
    if (used >= args.length) throw new FunctionError(`index ${used} out of range: the list has ${args.length} items`)
    const value = args[used]
    used += 1
    payFor(value, runtime)
    const shown = formatOne(
      { verb, value, precision: precision === undefined ? 6 : Number(precision.slice(1)) },
      runtime,
    )
    runtime.charge(sizeCost(shown.length))
    parts.push(shown)
  }
  if (used < args.length)
    throw new FunctionError(`too many arguments supplied to string.format (expected ${used}, got ${args.length})`)
  return parts.join('') + text.slice(from)
}

/** Units of work for filling one place, and for showing one of the values within a value. */
const PER_PART = 5

/** Pays for all that a value holds, as a tree, before it is shown. */
function payFor(value: unknown, work: Work): void {
  if (typeof value === 'string' || value instanceof Uint8Array) work.charge(sizeCost(value.length))
  const parts: Iterable<unknown> = Array.isArray(value) ? value : value instanceof Map ? value.values() : []
  work.charge(PER_PART * (1 + (Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0)))
  for (const part of parts) payFor(part, work)
}

/** A place of a text to fill, what fills it, and how. */
interface Clause {
  readonly verb: string
  readonly value: unknown
  readonly precision: number
}

function formatOne({ verb, value, precision }: Clause, work: Work): string {
  switch (verb) {
    case 's':
      return showValue(value, work)
    case 'd':
      return showInteger(value, 10)
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : showInteger(value, 2)
    case 'o':
      return showInteger(value, 8)
    case 'x':
      return showHex(value, work)
    case 'X':
      return showHex(value, work).toUpperCase()
    case 'f':
      return showFloat(value, (number) => fixed(number, precision))
    case 'e':
      return showFloat(value, (number) => scientific(number, precision))
    default:
      throw new FunctionError(`unrecognized formatting clause "${verb}"`)
  }
}

function showInteger(value: unknown, base: number): string {
  if (typeof value === 'bigint') return value.toString(base)
  if (value instanceof UnsignedInt) return value.value.toString(base)
  throw new FunctionError('only integers can be formatted this way')
}

function showHex(value: unknown, work: Work): string {
  if (typeof value === 'string') return showHex(new TextEncoder().encode(value), work)
  if (!(value instanceof Uint8Array)) return showInteger(value, 16)
  work.charge(value.length)
  return Array.from(value, hexByte).join('')
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** What is no finite number may be given as text. */
const NOT_FINITE: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity'])

function showFloat(value: unknown, show: (number: number) => string): string {
  const number = NOT_FINITE.has(value) ? Number(value) : value
  if (typeof number !== 'number') throw new FunctionError('only doubles can be formatted this way')
  if (Number.isNaN(number)) return 'NaN'
  if (!Number.isFinite(number)) return number > 0 ? 'Infinity' : '-Infinity'
  return show(number)
}

/** `-1,234.50`, as cel-go's en_US locale writes it: a number half way goes to the even digit. */
function fixed(number: number, precision: number): string {
  const size = Math.abs(number)
  const [whole = '', ...fraction] = (size < 1e21 ? roundEven(size, precision) : BigInt(size).toString()).split('.')
  const digits = fraction[0] ?? '0'.repeat(precision)
  const sign = number < 0 ? '-' : ''
  return `${sign}${whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ',')}${precision === 0 ? '' : `.${digits}`}`
}

function roundEven(size: number, precision: number): string {
  const further = size.toFixed(Math.min(precision + 40, 100))
  const from = further.length - Math.min(40, 100 - precision)
  const isHalf = /^50*$/.test(further.slice(from))
  const below = further.slice(0, from).replace(/\.$/, '')
  return isHalf && /[02468]$/.test(below) ? below : size.toFixed(precision)
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
}

/** `1.234500\u202f×\u202f10⁰³`, as cel-go's en_US locale writes it. */
function scientific(number: number, precision: number): string {
  const [mantissa = '', exponent = '0'] = number.toExponential(precision).split('e')
  const digits = exponent.replace(/^[-+]/, '').padStart(2, '0')
  const raised = Array.from(
    `${exponent.startsWith('-') ? '-' : ''}${digits}`,
    (digit) => SUPERSCRIPTS[digit] ?? digit,
  ).join('')
  return `${mantissa}\u202f×\u202f10${raised}`
}

function showValue(value: unknown, work: Work): string {
  if (typeof value === 'string') return value
  return showNested(value, work)
}

function showNested(value: unknown, work: Work): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isFinite(value)
        ? formatDouble(value)
        : Number.isNaN(value)
          ? 'NaN'
          : value > 0
            ? 'Infinity'
            : '-Infinity'
    default:
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map((item) => showNested(item, work)).join(', ')}]`
  if (value instanceof Map) return showMap(value, work)
  if (value instanceof UnsignedInt) return String(value.value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Instant) return formatTimestamp(value)
  throw new FunctionError('a value of this type cannot be formatted')
}

function showMap(map: ReadonlyMap<unknown, unknown>, work: Work): string {
  const entries = [...map].toSorted(([a], [b]) => compareValues(a, b, work))
  return `{${entries.map(([key, value]) => `${showNested(key, work)}:${showNested(value, work)}`).join(', ')}}`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\\': String.raw`\\`,
  '"': String.raw`\"`,
}

function quote(text: string): string {
  return `"${text.toWellFormed().replaceAll(/[\p{Cc}\\"]/gu, (character) => ESCAPES[character] ?? character)}"`
}
