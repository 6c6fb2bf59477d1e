import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { block, blocks, number, text } from './fields.ts'
import type { RouteBackend } from './gateway-api-backends.ts'
import type { RouteEntry } from './virtual-service.ts'

/** A rule of a route of the Gateway API, with the backends that it names, in order. */
export interface RouteRule {
  readonly route: KubeObject
  readonly rule: JsonObject
  /** `spec.rules[0]`. */
  readonly field: string
  readonly backends: readonly RouteBackend[]
}

/**
 * A rule of an HTTPRoute or GRPCRoute as entries of `http` of a VirtualService, one for each of its conditions. None for a rule with a filter that Istio
 * does not know. Changes to headers are left out. istio: config/kube/gateway/conversion.go convertHTTPRoute.
 */
export function httpEntries(read: RouteRule): readonly RouteEntry[] {
  const { route, rule, field } = read
  const filters = blocks(rule.filters)
  if (filters.some(({ type }) => !FILTERS.has(text(type) ?? ''))) return []
  const redirect = filters.map((filter) => block(filter.requestRedirect)).find((each) => each !== undefined)
  const rewrite = filters.map((filter) => block(filter.urlRewrite)).find((each) => each !== undefined)
  const spec: JsonObject = {
    ...(rule.name === undefined ? {} : { name: rule.name }),
    ...(rewrite === undefined ? {} : { rewrite: rewriteOf(rewrite) }),
    ...deadlinesOf(rule),
    ...(redirect === undefined ? actionOf(read) : { redirect: redirectOf(redirect) }),
  }
  const matches = blocks(rule.matches)
  if (matches.length === 0) return [{ object: route, field, spec }]
  return matches.map((match) => ({ object: route, field, spec: { ...spec, match: [matchOf(match)] } }))
}

/** A rule of a TCPRoute or TLSRoute as an entry of `tcp`, or of `tls` with the names that it is for. istio: convertTCPRoute, convertTLSRoute. */
export function connectionEntry(read: RouteRule, sniHosts?: readonly string[]): RouteEntry {
  const match = sniHosts === undefined ? {} : { match: [{ sniHosts }] }
  return { object: read.route, field: read.field, spec: { ...match, route: destinationsOf(read) } }
}

/** In the order of the Gateway API: by the kind and length of the path, then method, headers and parameters. istio: sortHTTPRoutes. */
export function inOrderOfMatch(entries: readonly RouteEntry[]): readonly RouteEntry[] {
  const ranked = entries.map((entry) => ({ entry, rank: rankOf(asObject(asList(entry.spec.match)[0])) }))
  ranked.sort((a, b) => {
    const difference = a.rank.map((own, index) => (b.rank[index] ?? 0) - own).find((each) => each !== 0)
    return difference ?? 0
  })
  return ranked.map(({ entry }) => entry)
}

function rankOf({ uri, method, headers, queryParams }: JsonObject): readonly number[] {
  const [condition] = Object.entries(asObject(uri))
  const [kind, path] = condition ?? ['', '']
  return [
    KINDS_OF_PATH.indexOf(kind),
    typeof path === 'string' ? path.length : 0,
    Number(method !== undefined),
    Object.keys(asObject(headers)).length,
    Object.keys(asObject(queryParams)).length,
  ]
}

function matchOf(match: JsonObject): JsonObject {
  const { path, method, headers, queryParams } = isObject(match.method) ? grpcMatch(match.method, match) : match
  const { type, value } = asObject(path)
  const written = text(value) ?? '/'
  const bare = written === '/' ? written : written.replace(/\/$/, '')
  const uri =
    type === 'Exact' ? { exact: written } : type === 'RegularExpression' ? { regex: written } : { prefix: bare }
  return {
    uri,
    ...(method === undefined ? {} : { method: { exact: method } }),
    headers: namedMatches(headers),
    queryParams: namedMatches(queryParams),
  }
}

/** The method of a GRPCRoute is a path. istio: config/kube/gateway/conversion.go createGRPCURIMatch. */
function grpcMatch({ type, service, method }: JsonObject, { headers }: JsonObject): JsonObject {
  const [owner, name] = [text(service) ?? '', text(method) ?? '']
  if (type === 'RegularExpression') {
    return { path: { type, value: `/${owner || '[^/]+'}/${name || '.+'}` }, headers }
  }
  if (owner !== '' && name !== '') return { path: { type: 'Exact', value: `/${owner}/${name}` }, headers }
  if (owner !== '') return { path: { value: `/${owner}/` }, headers }
  return { path: { type: 'RegularExpression', value: `/[^/]+/${name}` }, headers }
}

function namedMatches(list: Json | undefined): JsonObject {
  const found = blocks(list).map(({ name, type, value }): readonly [string, Json] => [
    text(name) ?? '',
    type === 'RegularExpression' ? { regex: value ?? '' } : { exact: value ?? '' },
  ])
  return Object.fromEntries(found)
}

/** A request for which there is no backend is answered with 500. */
function actionOf(read: RouteRule): JsonObject {
  const route = destinationsOf(read)
  return route.some(({ weight }) => weight !== 0) ? { route } : { directResponse: { status: 500 } }
}

/** The backends, with a weight of 1 where none is written. One that the route may not use leads to no host. */
function destinationsOf({ rule, backends }: RouteRule): readonly JsonObject[] {
  const weights = blocks(rule.backendRefs).map(({ weight }) => number(weight) ?? 1)
  return backends.map(({ host = '', port = 0, isGranted }, index) => ({
    destination: { host: isGranted ? host : '', port: { number: port } },
    weight: weights[index] ?? 1,
  }))
}

/** istio: convertHTTPRoute. Retries stand for connections that fail, and for the codes that are listed. */
function deadlinesOf(rule: JsonObject): JsonObject {
  const { request, backendRequest } = asObject(rule.timeouts)
  const retry = block(rule.retry)
  const codes = asList(retry?.codes).flatMap((code) => number(code) ?? [])
  const retryOn = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', ...codes].join(',')
  const attempts = number(retry?.attempts) ?? 2
  const each = backendRequest === undefined ? {} : { perTryTimeout: backendRequest }
  const timeout = retry === undefined ? (backendRequest ?? request) : request
  return {
    ...(retry === undefined ? {} : { retries: { attempts, retryOn, ...each } }),
    ...(timeout === undefined ? {} : { timeout }),
  }
}

function rewriteOf({ path, hostname }: JsonObject): JsonObject {
  const { type, replacePrefixMatch, replaceFullPath } = asObject(path)
  const prefix = text(replacePrefixMatch)?.replace(/\/$/, '') || '/'
  return {
    ...(type === 'ReplacePrefixMatch' ? { uri: prefix } : {}),
    ...(type === 'ReplaceFullPath' ? { uriRegexRewrite: { match: '/.*', rewrite: replaceFullPath ?? '' } } : {}),
    ...(hostname === undefined ? {} : { authority: hostname }),
  }
}

function redirectOf({ statusCode, hostname, scheme, port, path }: JsonObject): JsonObject {
  const { type, replacePrefixMatch, replaceFullPath } = asObject(path)
  return {
    redirectCode: statusCode ?? 302,
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(port === undefined ? {} : { port }),
    ...(type === 'ReplacePrefixMatch' ? { prefixRewrite: replacePrefixMatch ?? '' } : {}),
    ...(type === 'ReplaceFullPath' ? { uri: replaceFullPath ?? '' } : {}),
  }
}

const KINDS_OF_PATH: readonly string[] = ['', 'regex', 'prefix', 'exact']
const FILTERS: ReadonlySet<string> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
  'RequestMirror',
  'URLRewrite',
  'CORS',
])
