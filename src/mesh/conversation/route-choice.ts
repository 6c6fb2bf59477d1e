import { RE2JS } from 're2js'

import { isGatewayApi } from '../gateway-api-backends.ts'
import type { NamedMatch, TextMatch } from '../http-match.ts'
import type { Rewrite, Route } from '../http-route.ts'
import type { Request } from '../request.ts'

/** How a request comes to the proxy that chooses: an application hands it to its sidecar in the clear. */
export type Scheme = 'http' | 'https'

/** The first route whose condition a request meets; undefined: none, which a proxy answers with 404. */
export function routeForRequest(routes: readonly Route[], request: Request, scheme: Scheme): Route | undefined {
  return routes.find((route) => meets(request, route, scheme))
}

/**
 * The request as it goes on after a route, its path and host rewritten. A prefix replaces what the condition matched: all of the path where that
 * was an exact text or a regular expression. envoy: router/config_impl.cc rewritePathHeader.
 */
export function rewritten(request: Request, route: Route): Request {
  const { action } = route
  if (action.kind !== 'forward' || action.rewrite === undefined) return request
  const { rewrite } = action
  const { bare, query } = splitPath(request.path)
  const path = rewrittenPath(bare, rewrite, route)
  return { ...request, path: query === undefined ? path : `${path}?${query}`, host: rewrite.authority ?? request.host }
}

function rewrittenPath(path: string, { prefix, regex }: Rewrite, route: Route): string {
  if (regex !== undefined) {
    const pattern = compile(regex.match)
    // envoy writes groups as \1, RE2 for Java as $1
    const replacement = regex.rewrite.replaceAll('$', String.raw`\$`).replaceAll(/\\(\d)/g, '$$$1')
    return pattern === undefined ? path : pattern.matcher(path).replaceAll(replacement)
  }
  if (prefix === undefined) return path
  const { path: condition } = route.match
  if (!('prefix' in condition)) return prefix
  const rest = path.slice(condition.prefix.length)
  // the rest begins with the slash that the new prefix already has
  return isBySegment(route) && prefix === '/' ? prefix + rest.replace(/^\//, '') : prefix + rest
}

function meets(request: Request, route: Route, scheme: Scheme): boolean {
  const { match } = route
  const { bare, query } = splitPath(request.path)
  const parameters = new Map(new URLSearchParams(query ?? ''))
  return (
    meetsPath(bare, route) &&
    meetsText(match.method, request.method) &&
    meetsText(match.authority, request.host) &&
    meetsText(match.scheme, scheme) &&
    match.headers.every((header) => meetsNamed(header, headerOf(request, header.name))) &&
    match.queryParams.every((parameter) => meetsNamed(parameter, parameters.get(parameter.name)))
  )
}

function meetsPath(path: string, route: Route): boolean {
  const { path: condition, ignoreCase } = route.match
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text)
  if ('exact' in condition) return fold(path) === fold(condition.exact)
  if ('prefix' in condition) {
    if (!fold(path).startsWith(fold(condition.prefix))) return false
    const next = path.charAt(condition.prefix.length)
    return !isBySegment(route) || condition.prefix === '/' || next === '' || next === '/'
  }
  return isWholeMatch(condition.regex, path)
}

/** Prefixes of the Gateway API are whole segments of a path. istio: networking/core/route/route.go UseGatewaySemantics. */
function isBySegment({ entry: { object } }: Route): boolean {
  return isGatewayApi(object)
}

function meetsText(condition: TextMatch | undefined, value: string | undefined): boolean {
  if (condition === undefined) return true
  if (value === undefined) return false
  if ('exact' in condition) return value === condition.exact
  if ('prefix' in condition) return value.startsWith(condition.prefix)
  return 'regex' in condition ? isWholeMatch(condition.regex, value) : true
}

function meetsNamed({ invert, ...condition }: NamedMatch, value: string | undefined): boolean {
  return meetsText(condition, value) !== (invert === true)
}

function headerOf({ headers, host, method, path }: Request, name: string): string | undefined {
  const lower = name.toLowerCase()
  const pseudo: Readonly<Record<string, string>> = { ':authority': host, host, ':method': method, ':path': path }
  if (Object.hasOwn(pseudo, lower)) return pseudo[lower]
  return Object.hasOwn(headers, lower) ? headers[lower] : undefined
}

function splitPath(path: string): { readonly bare: string; readonly query: string | undefined } {
  const [whole = ''] = path.split('#', 1)
  const at = whole.indexOf('?')
  return at < 0 ? { bare: whole, query: undefined } : { bare: whole.slice(0, at), query: whole.slice(at + 1) }
}

/** A condition that is no regular expression is never met; istiod refuses it. */
function isWholeMatch(pattern: string, value: string): boolean {
  return compile(pattern)?.matcher(value).matches() === true
}

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern)
  } catch {
    return undefined
  }
}
