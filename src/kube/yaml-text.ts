import { isList, isObject, type Json, type JsonObject } from './json.ts'
import { resolvePlainScalar } from './yaml-scalar.ts'
import type { ScalarStyle } from './source-node.ts'

/** How a text writes its YAML, so that what is added to it looks the same. */
export interface YamlStyle {
  /** Spaces by which a map lies deeper than its key. */
  readonly indent: number
  /** Spaces by which the dashes of a list lie deeper than its key. */
  readonly listIndent: number
  readonly lineBreak: '\n' | '\r\n'
}

/** `key: value` in block style, the lines after the first indented for a map at column `indent`. */
export function blockEntry(key: string, value: Json, style: YamlStyle): readonly string[] {
  const name = scalarText(key, 'plain')
  if (isNested(value))
    return [`${name}:`, ...shift(blockLines(value, style), isList(value) ? style.listIndent : style.indent)]
  return [`${name}: ${inlineText(value)}`]
}

/** `- value` in block style. */
export function blockItem(value: Json, style: YamlStyle): readonly string[] {
  if (!isNested(value)) return [`- ${inlineText(value)}`]
  const [first = '', ...rest] = blockLines(value, style)
  return [`- ${first}`, ...shift(rest, 2)]
}

/** A value in block style, at column 0. */
export function blockLines(value: Json, style: YamlStyle): readonly string[] {
  if (!isNested(value)) return [inlineText(value)]
  if (isList(value)) return value.flatMap((item) => blockItem(item, style))
  return entriesOf(value).flatMap(([key, member]) => blockEntry(key, member, style))
}

/** A value on one line, in flow style. */
export function inlineText(value: Json): string {
  if (isList(value)) return value.length === 0 ? '[]' : `[${value.map(inlineText).join(', ')}]`
  if (!isObject(value)) return scalarText(value, 'plain')
  const members = entriesOf(value).map(([key, member]) => `${scalarText(key, 'plain')}: ${inlineText(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

/** A scalar in the wanted style or, where that would read as something else, in double quotes. */
export function scalarText(value: null | boolean | number | string, wanted: ScalarStyle): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const oneLine = !/[^\P{Cc}\t]|[\u2028\u2029\uFEFF\uD800-\uDFFF]/u.test(value)
  if (wanted === 'single-quoted' && oneLine) return `'${value.replaceAll("'", "''")}'`
  if (
    wanted === 'plain' &&
    oneLine &&
    PLAIN.test(value) &&
    !/: |:$| #/.test(value) &&
    resolvePlainScalar(value) === value
  ) {
    return value
  }
  return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029\uFEFF]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** True for what takes lines of its own in block style: a map or list that is not empty. */
export function isNested(value: Json): value is readonly Json[] | JsonObject {
  return isList(value) ? value.length > 0 : isObject(value) && Object.keys(value).length > 0
}

function entriesOf(value: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, member] as const]))
}

function shift(lines: readonly string[], columns: number): readonly string[] {
  return lines.map((line) => ' '.repeat(columns) + line)
}

// Unquoted texts that no YAML reader takes for anything else, in block and in flow style.
const PLAIN = /^[A-Za-z0-9_/.+(](?:[\w/.+*()@=;^$<>~ :#-]*[\w/.+*()@=;^$<>~-])?$/
