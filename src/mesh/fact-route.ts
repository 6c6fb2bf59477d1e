import { formatDuration, type Duration } from '../kube/duration.ts'
import type { Json, JsonObject } from '../kube/json.ts'
import type { Destination, Fault, Mirror, Redirect, Rewrite, Route, RouteAction } from './http-route.ts'
import type { NamedMatch, RouteMatch } from './http-match.ts'
import type { Retries } from './retries.ts'
import { virtualServiceName } from './virtual-service.ts'

/** A route as facts show it. */
export function routeFact(route: Route): JsonObject {
  const { name, action, fault } = route
  return {
    virtualService: virtualServiceName(route.virtualService.object),
    ...(name === '' ? {} : { name }),
    match: matchFact(route.match),
    ...actionFact(action),
    ...(fault === undefined ? {} : { fault: faultFact(fault) }),
  }
}

/** Retries as facts show them; null where there are none. */
export function retriesFact(retries: Retries | undefined): Json {
  if (retries === undefined) return null
  const { attempts, retryOn, retriableStatusCodes, perTryTimeout, backoff } = retries
  return {
    attempts,
    retryOn: retryOn.join(','),
    ...(retriableStatusCodes.length === 0 ? {} : { retriableStatusCodes }),
    ...duration('perTryTimeout', perTryTimeout),
    ...duration('backoff', backoff),
    ignorePreviousHosts: retries.ignorePreviousHosts,
    ...(retries.remoteLocalities ? { remoteLocalities: true } : {}),
  }
}

function matchFact({ path, ignoreCase, method, authority, scheme, headers, queryParams }: RouteMatch): JsonObject {
  return {
    path,
    ...(ignoreCase ? { ignoreCase: true } : {}),
    ...(method === undefined ? {} : { method }),
    ...(authority === undefined ? {} : { authority }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(headers.length === 0 ? {} : { headers: headers.map(namedFact) }),
    ...(queryParams.length === 0 ? {} : { queryParams: queryParams.map(namedFact) }),
  }
}

function namedFact(match: NamedMatch): JsonObject {
  return { ...match }
}

function actionFact(action: RouteAction): JsonObject {
  switch (action.kind) {
    case 'redirect':
      return { timeout: null, retries: null, redirect: redirectFact(action.redirect) }
    case 'direct-response': {
      const { status, body } = action
      return { timeout: null, retries: null, directResponse: { status, ...(body === undefined ? {} : { body }) } }
    }
    default: {
      const { to, timeout, retries, mirrors, rewrite } = action
      return {
        to: to.map(destinationFact),
        timeout: timeout === undefined ? null : formatDuration(timeout),
        retries: retriesFact(retries),
        ...(mirrors.length === 0 ? {} : { mirrors: mirrors.map(mirrorFact) }),
        ...(rewrite === undefined ? {} : { rewrite: rewriteFact(rewrite) }),
      }
    }
  }
}

export function destinationFact({ host, port, subset, weight }: Destination): JsonObject {
  return { host, port, ...(subset === undefined ? {} : { subset }), ...(weight === undefined ? {} : { weight }) }
}

function mirrorFact({ host, port, subset, percent }: Mirror): JsonObject {
  return { host, port, ...(subset === undefined ? {} : { subset }), percent }
}

function rewriteFact({ prefix, regex, authority }: Rewrite): JsonObject {
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(regex === undefined ? {} : { regex: { ...regex } }),
    ...(authority === undefined ? {} : { authority }),
  }
}

function redirectFact({ code, authority, uri, prefix, scheme, port }: Redirect): JsonObject {
  return {
    code,
    ...(authority === undefined ? {} : { authority }),
    ...(uri === undefined ? {} : { uri }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(port === undefined ? {} : { port }),
  }
}

function faultFact({ delay, abort }: Fault): JsonObject {
  return {
    ...(delay === undefined ? {} : { delay: { fixedDelay: formatDuration(delay.fixedDelay), percent: delay.percent } }),
    ...(abort === undefined ? {} : { abort: { ...abort.status, percent: abort.percent } }),
  }
}

function duration(name: string, value: Duration | undefined): JsonObject {
  return value === undefined ? {} : { [name]: formatDuration(value) }
}
