import { asList, isObject, type Json, type JsonObject } from '../kube/json.ts'

/** The text, or undefined for anything else. */
export function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The items of a list that are text; none for anything that is not a list. */
export function texts(value: Json | undefined): readonly string[] {
  const list = asList(value)
  return isAllText(list) ? list : list.filter((item) => typeof item === 'string')
}

/** The number, or undefined for anything else. */
export function number(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** The object, or undefined for anything else: where present and empty differ. */
export function block(value: Json | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** The items of a list that are objects. */
export function blocks(value: Json | undefined): readonly JsonObject[] {
  return asList(value).filter(isObject)
}

/** The items of a list that are objects, each with its position in the list: what stands between them counts. */
export function placedBlocks(value: Json | undefined): readonly (readonly [number, JsonObject])[] {
  return asList(value).flatMap((item, index) => (isObject(item) ? [[index, item] as const] : []))
}

/** The items of a list that are text, each with its position in the list. */
export function placedTexts(value: Json | undefined): readonly (readonly [number, string])[] {
  return asList(value).flatMap((item, index) => (typeof item === 'string' ? [[index, item] as const] : []))
}

/** The members of a map whose values are text. */
export function textMap(value: Json | undefined): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(entries)
}

/** The value that a table has for a word, and none for a word that is not its own (`constructor`). */
export function wordIn<T extends Json>(table: Readonly<Record<string, T>>, word: Json | undefined): T | undefined {
  if (typeof word !== 'string' || !Object.hasOwn(table, word)) return undefined
  return table[word]
}

function isAllText(list: readonly Json[]): list is readonly string[] {
  return list.every((item) => typeof item === 'string')
}

/** Does text mean yes to Go? Anything that it can't read is no. go: strconv.ParseBool. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && TRUE.has(text)
}

const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
