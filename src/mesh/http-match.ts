import { asObject, type Json, type JsonObject } from '../kube/json.ts'
import { matchesLabels } from '../kube/selector.ts'
import { compareText } from './age.ts'
import type { Client } from './destination-rule.ts'
import { block, number, text, texts } from './fields.ts'

/** A condition on text; `present`: any value will do. */
export type TextMatch =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly regex: string }
  | { readonly present: true }

export type NamedMatch = TextMatch & { readonly name: string; readonly invert?: true }

/** What a request has to be like for a route. `path: { prefix: '/' }` is any. */
export interface RouteMatch {
  readonly path: Exclude<TextMatch, { readonly present: true }>
  readonly ignoreCase: boolean
  readonly method: TextMatch | undefined
  readonly authority: TextMatch | undefined
  readonly scheme: TextMatch | undefined
  /** By name; conditions on claims of a token (`@request.auth.claims…`) among them. */
  readonly headers: readonly NamedMatch[]
  readonly queryParams: readonly NamedMatch[]
}

/** Where a route is to be used: on which port, by whom, at which gateways (`mesh`: a sidecar). */
export interface RoutePlace {
  readonly client: Client
  readonly port: number
  readonly gateways: ReadonlySet<string>
}

/** Does a condition leave a route for this place? istio: networking/core/route/route.go sourceMatchHTTP. */
export function appliesAt(match: JsonObject, { client, port, gateways }: RoutePlace): boolean {
  const wanted = number(match.port) ?? 0
  if (wanted !== 0 && wanted !== port) return false
  const named = texts(match.gateways)
  // with gateways the conditions on the source are not looked at
  if (named.length > 0) return named.some((name) => gateways.has(name))
  if (!matchesLabels(match.sourceLabels, client.labels)) return false
  const namespace = text(match.sourceNamespace) ?? ''
  return namespace === '' || namespace === client.namespace
}

/** The condition that a request has to meet. istio: networking/core/route/route.go TranslateRouteMatch. */
export function routeMatchOf(match: JsonObject): RouteMatch {
  const headers: NamedMatch[] = namedMatches(match.headers)
  for (const header of namedMatches(match.withoutHeaders)) headers.push({ ...header, invert: true })
  return {
    path: pathOf(match.uri),
    ignoreCase: match.ignoreUriCase === true,
    method: optional(match.method),
    authority: optional(match.authority),
    scheme: optional(match.scheme),
    headers: headers.sort(byName),
    queryParams: namedMatches(match.queryParams).sort(byName),
  }
}

/** Does every request meet it? Routes behind such a one are not even sent. istio: IsCatchAllRoute. */
export function isCatchAll(match: RouteMatch): boolean {
  const { path, method, authority, scheme, headers, queryParams } = match
  const isAnyPath = 'prefix' in path ? path.prefix === '/' : 'regex' in path && path.regex === '.*'
  const hasCondition = method !== undefined || authority !== undefined || scheme !== undefined
  return isAnyPath && !hasCondition && headers.length === 0 && queryParams.length === 0
}

function byName(a: NamedMatch, b: NamedMatch): number {
  return compareText(a.name, b.name)
}

function pathOf(value: Json | undefined): RouteMatch['path'] {
  const match = optional(value)
  return match === undefined || 'present' in match ? { prefix: '/' } : match
}

function namedMatches(value: Json | undefined): NamedMatch[] {
  const found: NamedMatch[] = []
  for (const [name, match] of Object.entries(asObject(value))) found.push({ name, ...textMatch(asObject(match)) })
  return found
}

function optional(value: Json | undefined): TextMatch | undefined {
  const match = block(value)
  return match === undefined ? undefined : textMatch(match)
}

/** `*` as a regular expression means presence. istio: canBeConvertedToPresentMatch. */
function textMatch(match: JsonObject): TextMatch {
  if (typeof match.exact === 'string') return { exact: match.exact }
  if (typeof match.prefix === 'string') return { prefix: match.prefix }
  if (typeof match.regex === 'string' && match.regex !== '*') return { regex: match.regex }
  return { present: true }
}
