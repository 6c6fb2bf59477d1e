import { asList, asObject, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { blocks, number, text, textMap, texts } from './fields.ts'
import { isCatchAll, routeMatchOf, type NamedMatch, type RouteMatch, type TextMatch } from './http-match.ts'

/** A condition of a VirtualService that no request can meet, because an earlier one takes all that would. */
export interface ShadowedMatch {
  /** `spec.http[2]`, or `spec.http[2].match[1]` where other conditions of that entry are met. */
  readonly field: string
  /** The earlier one. */
  readonly by: string
  /** Is it the same condition, or a wider one? */
  readonly kind: 'duplicate' | 'covered'
}

/**
 * The conditions of `spec.http` that are never met, as far as that can be told from texts: a regular expression only covers itself.
 * istio drops what is behind a route for everything and warns of the rest: config/validation/virtualservice.go.
 */
export function shadowedMatches(virtualService: KubeObject): readonly ShadowedMatch[] {
  const earlier: Condition[] = []
  const shadowed: ShadowedMatch[] = []
  let comparisons = 0
  for (const [index, item] of asList(asObject(virtualService.spec).http).entries()) {
    const field = `spec.http[${index}]`
    const entry = asObject(item)
    const conditions = conditionsOf(entry, field)
    const found: ShadowedMatch[] = []
    for (const condition of conditions) {
      // far beyond what people write, only the conditions that take everything are looked at
      const candidates = comparisons > MOST_COMPARISONS ? earlier.filter(({ takesAll }) => takesAll) : earlier
      comparisons += candidates.length
      const by = candidates.find((candidate) => covers(candidate, condition))
      if (by === undefined) earlier.push(condition)
      else found.push({ field: condition.field, by: by.field, kind: covers(condition, by) ? 'duplicate' : 'covered' })
    }
    const [first] = found
    if (first !== undefined && found.length === conditions.length) shadowed.push({ ...first, field })
    else shadowed.push(...found)
  }
  return shadowed
}

interface Condition {
  readonly field: string
  readonly match: RouteMatch
  readonly port: number
  readonly gateways: readonly string[]
  readonly sourceNamespace: string
  readonly sourceLabels: Readonly<Record<string, string>>
  readonly takesAll: boolean
}

function conditionsOf(entry: JsonObject, field: string): readonly Condition[] {
  const matches = blocks(entry.match)
  if (matches.length === 0) return [conditionOf({}, field)]
  return matches.map((match, index) => conditionOf(match, `${field}.match[${index}]`))
}

function conditionOf(source: JsonObject, field: string): Condition {
  const match = routeMatchOf(source)
  const gateways = texts(source.gateways)
  const port = number(source.port) ?? 0
  // with gateways, conditions on the source are not looked at
  const sourceNamespace = gateways.length > 0 ? '' : (text(source.sourceNamespace) ?? '')
  const sourceLabels = gateways.length > 0 ? {} : textMap(source.sourceLabels)
  const isForAnyone = gateways.length === 0 && sourceNamespace === '' && Object.keys(sourceLabels).length === 0
  const takesAll = isForAnyone && port === 0 && isCatchAll(match)
  return { field, match, port, gateways, sourceNamespace, sourceLabels, takesAll }
}

/** Does every request that meets `inner` meet `outer`? */
function covers(outer: Condition, inner: Condition): boolean {
  if (outer.port !== 0 && outer.port !== inner.port) return false
  if (!coversPlace(outer, inner)) return false
  const { match: wide } = outer
  const { match: narrow } = inner
  if (!coversPath(wide, narrow)) return false
  for (const field of ['method', 'authority', 'scheme'] as const) {
    if (!coversOptional(wide[field], narrow[field])) return false
  }
  return coversAll(wide.headers, narrow.headers) && coversAll(wide.queryParams, narrow.queryParams)
}

function coversPlace(outer: Condition, inner: Condition): boolean {
  if (outer.gateways.length > 0) {
    return inner.gateways.length > 0 && inner.gateways.every((name) => outer.gateways.includes(name))
  }
  if (outer.sourceNamespace !== '' && outer.sourceNamespace !== inner.sourceNamespace) return false
  return Object.entries(outer.sourceLabels).every(([key, value]) => inner.sourceLabels[key] === value)
}

function coversPath(outer: RouteMatch, inner: RouteMatch): boolean {
  const isAny = 'prefix' in outer.path ? outer.path.prefix === '/' : 'regex' in outer.path && outer.path.regex === '.*'
  if (isAny) return true
  if (inner.ignoreCase && !outer.ignoreCase) return false
  return coversText(outer.path, inner.path, outer.ignoreCase)
}

function coversOptional(outer: TextMatch | undefined, inner: TextMatch | undefined): boolean {
  if (outer === undefined) return true
  return inner !== undefined && coversText(outer, inner, false)
}

function coversAll(outer: readonly NamedMatch[], inner: readonly NamedMatch[]): boolean {
  return outer.every((wide) =>
    inner.some((narrow) => {
      if (narrow.name !== wide.name || narrow.invert !== wide.invert) return false
      return wide.invert === true ? coversText(narrow, wide, false) : coversText(wide, narrow, false)
    }),
  )
}

function coversText(outer: TextMatch, inner: TextMatch, ignoreCase: boolean): boolean {
  if ('present' in outer) return true
  if ('regex' in outer) return 'regex' in inner && inner.regex === outer.regex
  const fold = (value: string): string => (ignoreCase ? value.toLowerCase() : value)
  const value = 'exact' in inner ? inner.exact : 'prefix' in inner ? inner.prefix : undefined
  if (value === undefined) return false
  if ('prefix' in outer) return fold(value).startsWith(fold(outer.prefix))
  return 'exact' in inner && fold(inner.exact) === fold(outer.exact)
}

// 300 conditions against each other take about ten milliseconds
const MOST_COMPARISONS = 50_000
