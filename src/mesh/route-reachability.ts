import { asList, asObject, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { number, placedBlocks, text, textMap, texts } from './fields.ts'
import { isCatchAll, routeMatchOf, type NamedMatch, type RouteMatch, type TextMatch } from './http-match.ts'
import { memo } from './memo.ts'

/** A condition of a VirtualService that nothing meets, because an earlier one takes all that would; or an entry that has no other. */
export interface ShadowedMatch {
  readonly of: 'entry' | 'condition'
  /** `spec.http[2]`, or `spec.http[2].match[1]`. */
  readonly field: string
  /** The earlier one. */
  readonly by: string
  /** Is it the same condition, or a wider one? */
  readonly kind: 'duplicate' | 'covered'
}

/**
 * The entries and conditions of `http`, `tcp` and `tls` that nothing meets, as far as that can be told from texts: a regular
 * expression only covers itself. istio drops what is behind a route for everything and warns of the rest, but looks at an entry as a
 * whole only where conditions are equal: config/validation/virtualservice.go.
 */
export const shadowedMatches: (virtualService: KubeObject) => readonly ShadowedMatch[] = memo((virtualService) => {
  const budget = { comparisons: MOST_COMPARISONS }
  const spec = asObject(virtualService.spec)
  return (['http', 'tcp', 'tls'] as const).flatMap((kind) =>
    shadowedAmong(
      placedBlocks(spec[kind]).map(([index, entry]) => entryOf(kind, entry, `spec.${kind}[${index}]`)),
      budget,
    ),
  )
})

function shadowedAmong(entries: readonly Entry[], budget: { comparisons: number }): readonly ShadowedMatch[] {
  const earlier: Condition[] = []
  return entries.flatMap(({ field, conditions }): readonly ShadowedMatch[] => {
    const found: ShadowedMatch[] = []
    for (const condition of conditions) {
      // far beyond what people write, only the conditions that take everything are looked at
      const candidates = budget.comparisons < 0 ? earlier.filter(({ takesAll }) => takesAll) : earlier
      budget.comparisons -= candidates.length
      const by = candidates.find((candidate) => covers(candidate, condition))
      if (by === undefined) earlier.push(condition)
      else {
        const kind = covers(condition, by) ? 'duplicate' : 'covered'
        found.push({ of: 'condition', field: condition.field, by: by.field, kind })
      }
    }
    const [first] = found
    if (first === undefined || found.length < conditions.length) return found
    return [{ ...first, of: 'entry', field }, ...found.filter((each) => each.field !== field)]
  })
}

interface Entry {
  readonly field: string
  readonly conditions: readonly Condition[]
}

interface Condition {
  readonly field: string
  readonly place: Place
  readonly wanted: Wanted
  readonly takesAll: boolean
}

/** Where, and for whom. */
interface Place {
  readonly port: number
  readonly gateways: readonly string[]
  readonly sourceNamespace: string
  readonly sourceLabels: Readonly<Record<string, string>>
}

/** What a request, or a connection, has to be like. */
type Wanted =
  | { readonly of: 'request'; readonly match: RouteMatch }
  | { readonly of: 'name'; readonly names: readonly string[]; readonly subnets: readonly string[] }
  | { readonly of: 'connection'; readonly subnets: readonly string[] }

function entryOf(kind: 'http' | 'tcp' | 'tls', { match }: JsonObject, field: string): Entry {
  // a `tls` entry without a name is none
  if (asList(match).length === 0) return { field, conditions: kind === 'tls' ? [] : [conditionOf(kind, {}, field)] }
  const conditions = placedBlocks(match).map(([index, each]) => conditionOf(kind, each, `${field}.match[${index}]`))
  return { field, conditions }
}

function conditionOf(kind: 'http' | 'tcp' | 'tls', source: JsonObject, field: string): Condition {
  const gateways = texts(source.gateways)
  // on requests, with gateways, conditions on the source are not looked at
  const isForAnySource = kind === 'http' && gateways.length > 0
  const place: Place = {
    port: number(source.port) ?? 0,
    gateways,
    sourceNamespace: isForAnySource ? '' : (text(source.sourceNamespace) ?? ''),
    sourceLabels: isForAnySource ? {} : textMap(source.sourceLabels),
  }
  const wanted = wantedOf(kind, source)
  return { field, place, wanted, takesAll: isAnywhere(place) && isAnything(wanted) }
}

function isAnywhere({ port, gateways, sourceNamespace, sourceLabels }: Place): boolean {
  return port === 0 && gateways.length === 0 && sourceNamespace === '' && Object.keys(sourceLabels).length === 0
}

function wantedOf(kind: 'http' | 'tcp' | 'tls', source: JsonObject): Wanted {
  const subnets = texts(source.destinationSubnets)
  switch (kind) {
    case 'http':
      return { of: 'request', match: routeMatchOf(source) }
    case 'tls':
      return { of: 'name', names: texts(source.sniHosts), subnets }
    case 'tcp':
      return { of: 'connection', subnets }
  }
}

function isAnything(wanted: Wanted): boolean {
  switch (wanted.of) {
    case 'request':
      return isCatchAll(wanted.match)
    case 'name':
      return false
    case 'connection':
      return wanted.subnets.length === 0
  }
}

/** Does all that meets `inner` meet `outer`? */
function covers(outer: Condition, inner: Condition): boolean {
  return coversPlace(outer.place, inner.place) && coversWanted(outer.wanted, inner.wanted)
}

/** Of names and of subnets a proxy takes the closest, whatever their order; a connection to anywhere ends the search. */
function coversWanted(outer: Wanted, inner: Wanted): boolean {
  switch (outer.of) {
    case 'request':
      return inner.of === 'request' && coversRequests(outer.match, inner.match)
    case 'name':
      return inner.of === 'name' && isWithin(inner.names, outer.names) && isWithin(inner.subnets, outer.subnets)
    case 'connection':
      return inner.of === 'connection' && (outer.subnets.length === 0 || isWithin(inner.subnets, outer.subnets))
  }
}

/** None stand for something else than some. */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  return some.length === 0 ? all.length === 0 : some.every((each) => all.includes(each))
}

function coversPlace(outer: Place, inner: Place): boolean {
  if (outer.port !== 0 && outer.port !== inner.port) return false
  const { gateways } = inner
  if (
    outer.gateways.length > 0 &&
    (gateways.length === 0 || !gateways.every((name) => outer.gateways.includes(name)))
  ) {
    return false
  }
  if (outer.sourceNamespace !== '' && outer.sourceNamespace !== inner.sourceNamespace) return false
  return Object.entries(outer.sourceLabels).every(([key, value]) => inner.sourceLabels[key] === value)
}

function coversRequests(wide: RouteMatch, narrow: RouteMatch): boolean {
  if (!coversPath(wide, narrow)) return false
  for (const field of ['method', 'authority', 'scheme'] as const) {
    if (!coversOptional(wide[field], narrow[field])) return false
  }
  return coversAll(wide.headers, narrow.headers) && coversAll(wide.queryParams, narrow.queryParams)
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
