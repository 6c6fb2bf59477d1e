import { isList, isObject, own, type Json } from './json.ts'

/** One step from a value to a part of it: a key of an object or an index of a list. */
export type Segment = string | number

/** The way from the root of an object to a place in it; `[]` is the object itself. */
export type FieldPath = readonly Segment[]

/**
 * The path as a person writes it: `spec.http[0].retries`, `spec.portLevelMtls[8443].mode`,
 * `metadata.labels[sidecar.istio.io/inject]`. A key that is not an identifier stands in brackets.
 */
export function formatPath(path: FieldPath): string {
  let text = ''
  for (const segment of path) {
    if (typeof segment === 'number' || !IDENTIFIER.test(segment)) text += `[${segment}]`
    else text += text === '' ? segment : `.${segment}`
  }
  return text
}

/** The path as a JSON pointer (RFC 6901), for JSON Patch: `/spec/http/0/retries`. */
export function toPointer(path: FieldPath): string {
  let text = ''
  for (const segment of path) text += `/${typeof segment === 'number' ? segment : escapePointer(segment)}`
  return text
}

/** The path that a JSON pointer takes through a value: a token is an index where it stands on a list. */
export function fromPointer(root: Json, pointer: string): FieldPath {
  const path: Segment[] = []
  let value: Json | undefined = root
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    const segment: Segment = isList(value) ? (key === '-' ? value.length : Number(key)) : key
    path.push(segment)
    value = valueAt(value, [segment])
  }
  return path
}

/** Escapes one reference token of a JSON pointer. */
export function escapePointer(token: string): string {
  return token.includes('~') || token.includes('/') ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token
}

/** The value at a path, or undefined where the path leads nowhere. Own members only; never throws. */
export function valueAt(root: Json | undefined, path: FieldPath): Json | undefined {
  let value: Json | undefined = root
  for (const segment of path) {
    if (typeof segment === 'number') value = isList(value) ? value[segment] : undefined
    else value = isObject(value) ? own(value, segment) : undefined
    if (value === undefined) return undefined
  }
  return value
}

/**
 * A relative field as policies write it (`tls.mode`, `labels[sidecar.istio.io/inject]`, `hosts[0]`) as segments.
 * Digits in brackets are an index; anything else in brackets is a key, quotes around it optional.
 * Returns undefined for text that is no such path.
 */
export function parseField(text: string): FieldPath | undefined {
  const path: Segment[] = []
  let rest = text
  while (rest !== '') {
    const match = STEP.exec(rest)
    if (match === null) return undefined
    const [whole, bracket, name] = match
    if (name !== undefined) path.push(name)
    else if (bracket !== undefined)
      path.push(/^\d+$/.test(bracket) ? Number(bracket) : bracket.replace(/^(['"])(.*)\1$/, '$2'))
    rest = rest.slice(whole.length)
    if (rest.startsWith('.')) {
      rest = rest.slice(1)
      if (rest === '' || rest.startsWith('[') || rest.startsWith('.')) return undefined
    } else if (rest !== '' && !rest.startsWith('[')) return undefined
  }
  return path
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_-]*$/
const STEP = /^(?:\[([^\]]+)\]|([^.[\]]+))/
