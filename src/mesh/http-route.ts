import { asObject, type Json, type JsonObject } from '../kube/json.ts'
import { parseDuration, type Duration } from '../kube/duration.ts'
import { block, blocks, number, text } from './fields.ts'
import { appliesAt, isCatchAll, routeMatchOf, type RouteMatch, type RoutePlace } from './http-match.ts'
import { retriesOf, type Retries } from './retries.ts'
import type { RouteEntry, VirtualService } from './virtual-service.ts'

/** One route of a VirtualService for one place, as a proxy gets it. istio: a route.Route of Envoy. */
export interface Route {
  readonly virtualService: VirtualService
  /** The entry it comes from. */
  readonly entry: RouteEntry
  readonly name: string
  readonly match: RouteMatch
  readonly action: RouteAction
  readonly fault: Fault | undefined
}

export type RouteAction =
  | ({ readonly kind: 'forward' } & Forward)
  | { readonly kind: 'redirect'; readonly redirect: Redirect }
  | { readonly kind: 'direct-response'; readonly status: number; readonly body: string | undefined }

export interface Forward {
  readonly to: readonly Destination[]
  /** Undefined: none, which is the default. */
  readonly timeout: Duration | undefined
  readonly retries: Retries | undefined
  readonly mirrors: readonly Mirror[]
  readonly rewrite: Rewrite | undefined
}

export interface Destination {
  readonly host: string
  readonly port: number
  readonly subset: string | undefined
  /** Relative; undefined where the route has one destination only. */
  readonly weight: number | undefined
}

export interface Mirror extends Omit<Destination, 'weight'> {
  readonly percent: number
}

export interface Rewrite {
  readonly prefix: string | undefined
  readonly regex: { readonly match: string; readonly rewrite: string } | undefined
  readonly authority: string | undefined
}

export interface Redirect {
  readonly code: number
  readonly authority: string | undefined
  readonly uri: string | undefined
  readonly prefix: string | undefined
  readonly scheme: string | undefined
  readonly port: number | undefined
}

export interface Fault {
  readonly delay: { readonly fixedDelay: Duration; readonly percent: number } | undefined
  readonly abort: { readonly status: AbortStatus; readonly percent: number } | undefined
}

export type AbortStatus = { readonly httpStatus: number } | { readonly grpcStatus: string }

export interface RouteQuery {
  readonly place: RoutePlace
  /** MeshConfig's HTTPRetry for routes without one. */
  readonly defaultRetries: JsonObject | undefined
  /** Is the destination chosen by a hash, by the DestinationRule that the client uses? */
  readonly isHashed: (destination: JsonObject) => boolean
  /** The port of a host where a destination names none; that of the request where this is left out, as sidecars have it. */
  readonly onlyPortOf?: (host: string) => number | undefined
  /** The host that a destination means by a name: another one for an ExternalName Service. Every name means itself where this is left out. */
  readonly meantBy?: (host: string) => string
  /** What requests come by; `http` where this is left out. */
  readonly scheme?: 'http' | 'https'
}

/**
 * The routes of a VirtualService for a place, in order; those behind one that takes every request are not sent at all. None: the
 * VirtualService has no say here. istio: networking/core/route/route.go BuildHTTPRoutesForVirtualService.
 */
export function httpRoutes(virtualService: VirtualService, query: RouteQuery): readonly Route[] {
  const routes: Route[] = []
  for (const entry of virtualService.http) {
    const matches = blocks(entry.spec.match)
    if (matches.length === 0) {
      routes.push(toRoute(virtualService, entry, {}, query))
      return routes
    }
    for (const match of matches) {
      if (!appliesAt(match, query.place)) continue
      const route = toRoute(virtualService, entry, match, query)
      routes.push(route)
      if (isCatchAll(route.match)) return routes
    }
  }
  return routes
}

function toRoute(virtualService: VirtualService, entry: RouteEntry, match: JsonObject, query: RouteQuery): Route {
  const { spec } = entry
  const matchName = text(match.name)
  return {
    virtualService,
    entry,
    name: `${text(spec.name) ?? ''}${matchName ? `.${matchName}` : ''}`,
    match: routeMatchOf(match),
    action: actionOf(spec, query),
    fault: faultOf(block(spec.fault)),
  }
}

function actionOf(spec: JsonObject, query: RouteQuery): RouteAction {
  const redirect = block(spec.redirect)
  if (redirect !== undefined) return { kind: 'redirect', redirect: redirectOf(redirect, query) }
  const response = block(spec.directResponse)
  if (response !== undefined) {
    const status = number(response.status) ?? 0
    return { kind: 'direct-response', status, body: text(asObject(response.body).string) }
  }
  return { kind: 'forward', ...forwardOf(spec, query) }
}

/** istio: networking/core/route/route.go applyHTTPRouteDestination. */
function forwardOf(spec: JsonObject, query: RouteQuery): Forward {
  const { defaultRetries, isHashed } = query
  const listed = blocks(spec.route)
  const single = listed.length === 1 ? asObject(listed[0]?.destination) : undefined
  const timeout = parseDuration(spec.timeout)
  const weighted = listed.filter((item) => (number(item.weight) ?? 0) !== 0)
  return {
    to:
      single === undefined
        ? weighted.map((item) => destinationOf(asObject(item.destination), query, number(item.weight)))
        : [destinationOf(single, query, undefined)],
    timeout: timeout === 0n ? undefined : timeout,
    retries: retriesOf(block(spec.retries) ?? defaultRetries, single !== undefined && isHashed(single)),
    mirrors: mirrorsOf(spec, query),
    rewrite: rewriteOf(block(spec.rewrite)),
  }
}

/** Without a port of its own, a destination has that of the request. istio: networking/core/route/route.go GetDestinationCluster. */
export function destinationOf(
  destination: JsonObject,
  { place, onlyPortOf, meantBy }: Pick<RouteQuery, 'place' | 'onlyPortOf' | 'meantBy'>,
  weight: number | undefined,
): Destination {
  const host = text(destination.host) ?? ''
  return {
    host: meantBy?.(host) ?? host,
    port: number(asObject(destination.port).number) ?? onlyPortOf?.(host) ?? place.port,
    subset: text(destination.subset) || undefined,
    weight,
  }
}

/** istio: networking/core/route/route.go MirrorPercent, MirrorPercentByPolicy: everything unless it is said how much. */
function mirrorsOf(spec: JsonObject, query: RouteQuery): readonly Mirror[] {
  const mirrors: Mirror[] = []
  const add = (destination: JsonObject, percent: number): void => {
    const { host, port, subset } = destinationOf(destination, query, undefined)
    if (percent > 0) mirrors.push({ host, port, subset, percent })
  }
  const mirror = block(spec.mirror)
  if (mirror !== undefined) add(mirror, percentOf(spec.mirrorPercentage) ?? number(spec.mirrorPercent) ?? 100)
  for (const item of blocks(spec.mirrors)) {
    const destination = block(item.destination)
    if (destination !== undefined) add(destination, percentOf(item.percentage) ?? 100)
  }
  return mirrors
}

function rewriteOf(rewrite: JsonObject | undefined): Rewrite | undefined {
  if (rewrite === undefined) return undefined
  const regex = block(rewrite.uriRegexRewrite)
  return {
    prefix: regex === undefined ? text(rewrite.uri) || undefined : undefined,
    regex: regex === undefined ? undefined : { match: text(regex.match) ?? '', rewrite: text(regex.rewrite) ?? '' },
    authority: text(rewrite.authority) || undefined,
  }
}

/** istio: networking/core/route/route.go ApplyRedirect. */
function redirectOf(redirect: JsonObject, query: RouteQuery): Redirect {
  const scheme = text(redirect.scheme) || undefined
  const port = redirect.derivePort === 'FROM_REQUEST_PORT' ? query.place.port : number(redirect.port)
  const isStandard = port === STANDARD_PORTS[scheme ?? query.scheme ?? 'http']
  return {
    code: number(redirect.redirectCode) || 301,
    authority: text(redirect.authority) || undefined,
    uri: text(redirect.prefixRewrite) ? undefined : text(redirect.uri) || undefined,
    prefix: text(redirect.prefixRewrite) || undefined,
    scheme,
    port: isStandard ? undefined : port,
  }
}

/** istio: networking/core/route/route.go TranslateFault: nothing happens unless it is said how often. */
function faultOf(fault: JsonObject | undefined): Fault | undefined {
  if (fault === undefined) return undefined
  const delay = asObject(fault.delay)
  const abort = asObject(fault.abort)
  const fixedDelay = parseDuration(delay.fixedDelay)
  const status = abortStatusOf(abort)
  if (fixedDelay === undefined && status === undefined) return undefined
  const delayPercent = percentOf(delay.percentage) ?? number(delay.percent) ?? 0
  return {
    delay: fixedDelay === undefined ? undefined : { fixedDelay, percent: delayPercent },
    abort: status === undefined ? undefined : { status, percent: percentOf(abort.percentage) ?? 0 },
  }
}

function abortStatusOf(abort: JsonObject): AbortStatus | undefined {
  if (typeof abort.httpStatus === 'number') return { httpStatus: abort.httpStatus }
  return typeof abort.grpcStatus === 'string' ? { grpcStatus: abort.grpcStatus } : undefined
}

/** A Percent, cut to the ten-thousandth: Envoy counts in millionths. istio: translatePercentToFractionalPercent. */
function percentOf(value: Json | undefined): number | undefined {
  const percent = block(value)
  return percent === undefined ? undefined : Math.trunc((number(percent.value) ?? 0) * 10_000) / 10_000
}

const STANDARD_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }
