import * as fc from 'fast-check'

import type { JsonObject } from '../../src/kube/json.ts'

/*
 * Objects that break no rule, but may lack whatever a default fills: as a person writes them who knows what the rules
 * are for, and leaves the rest to the defaults.
 */

type Arbitrary<T> = fc.Arbitrary<T>

/** The members that have a value, each absent or null now and then. */
function optional(members: Readonly<Record<string, Arbitrary<unknown>>>): Arbitrary<JsonObject> {
  const some = Object.fromEntries(Object.entries(members).map(([key, value]) => [key, fc.option(value, { freq: 3 })]))
  return fc.record(some, { requiredKeys: [] }).map(plain)
}

/** An object that fast-check made has no prototype; one that came as JSON has. */
function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value))
}

function shop(kind: string, spec: Arbitrary<JsonObject>): Arbitrary<JsonObject> {
  const apiVersion = fc.constantFrom('v1', 'v1beta1', 'v1alpha3').map((version) => `networking.istio.io/${version}`)
  return fc
    .record({ apiVersion, spec })
    .map((object) => ({ ...object, kind, metadata: { name: 'generated', namespace: 'shop' } }))
}

function duration(milliseconds: number): Arbitrary<string> {
  return fc.constantFrom(`${milliseconds}ms`, `${milliseconds / 1000}s`, `0h${milliseconds / 1000}s`)
}

const LONGEST = 60_000
const MOST_ATTEMPTS = 3

const destinations = fc.constantFrom('reviews', 'ratings').map((host) => [{ destination: { host } }])
const getOnly = { match: [{ method: { exact: 'GET' } }] }
const retriesWhatTimedOut = fc.constantFrom('5xx', 'reset,connect-failure', 'gateway-error', '503,gateway-error')
const retriesWhatNeverArrived = fc.constantFrom('connect-failure', 'refused-stream,unavailable')
const noRetries = fc.constantFrom(null, {}, { attempts: 0 })

/** A route that forwards, with tries that fit into the timeout where both are written. */
const forwarding = fc.option(fc.integer({ min: 100, max: LONGEST }), { nil: undefined }).chain((timeout) =>
  fc
    .record(
      { route: destinations, timeout: timeout === undefined ? fc.constant(null) : duration(timeout) },
      { requiredKeys: timeout === undefined ? ['route'] : ['route', 'timeout'] },
    )
    .chain((route) =>
      fc.oneof(
        fc.constant(route),
        noRetries.map((retries) => ({ ...route, retries })),
        boundedRetries(timeout ?? LONGEST).map((retries) => ({ ...route, retries })),
        boundedRetries(timeout ?? LONGEST).chain((retries) =>
          fc.record({ retryOn: retriesWhatTimedOut, bounded: fc.boolean() }).map(({ retryOn, bounded }) => ({
            ...route,
            ...getOnly,
            retries: bounded ? { ...retries, retryOn } : { attempts: retries.attempts, retryOn },
          })),
        ),
        fc
          .record({ retries: boundedRetries(timeout ?? LONGEST), retryOn: retriesWhatNeverArrived })
          .map(({ retries, retryOn }) => ({ ...route, retries: { ...retries, retryOn } })),
      ),
    ),
)

function boundedRetries(timeout: number): Arbitrary<{ attempts: number; perTryTimeout: string }> {
  return fc
    .integer({ min: 1, max: MOST_ATTEMPTS })
    .chain((attempts) =>
      fc
        .integer({ min: 1, max: Math.floor(timeout / attempts) })
        .chain((each) => fc.record({ attempts: fc.constant(attempts), perTryTimeout: duration(each) })),
    )
}

const streaming = fc
  .constantFrom({ upgrade: { exact: 'websocket' } }, { 'content-type': { prefix: 'application/grpc' } })
  .chain((headers) => destinations.map((route) => ({ match: [{ headers }], route })))

const forwardsNothing = fc.constantFrom(
  { redirect: { uri: '/new' } },
  { directResponse: { status: 404 } },
  { delegate: { name: 'reviews', namespace: 'shop' } },
)

export const virtualServices: Arbitrary<JsonObject> = shop(
  'VirtualService',
  fc
    .array(fc.oneof({ arbitrary: forwarding, weight: 4 }, streaming, forwardsNothing), { minLength: 1, maxLength: 5 })
    .map((http) => plain({ hosts: ['reviews'], http })),
)

const positive = fc.integer({ min: 1, max: 100_000 })

/** A limit above 0, or none at all. */
const connectionPool = fc.oneof(
  fc.constantFrom({}, { tcp: { connectTimeout: '3s' } }, { http: { idleTimeout: '1m' } }, { tcp: {}, http: {} }),
  positive.map((maxConnections) => ({ tcp: { maxConnections } })),
  positive.map((http1MaxPendingRequests) => ({ http: { http1MaxPendingRequests } })),
  positive.map((maxRetries) => ({ http: { maxRetries } })),
)

/** A trigger above 0, a dead one above 0, or none at all. */
const outlierDetection = fc
  .record({
    trigger: fc.oneof(
      fc.constant({}),
      positive.map((consecutiveErrors) => ({ consecutiveErrors })),
      positive.map((consecutive5xxErrors) => ({ consecutive5xxErrors })),
      positive.map((consecutiveGatewayErrors) => ({ consecutiveGatewayErrors, consecutive5xxErrors: 0 })),
    ),
    rest: optional({ interval: fc.constant('5s'), maxEjectionPercent: fc.integer({ min: 0, max: 50 }) }),
  })
  .map(({ trigger, rest }) => ({ ...trigger, ...rest }))

const blocks = { connectionPool, outlierDetection, loadBalancer: fc.constant({ simple: 'RANDOM' }) }

const portLevelSettings = fc.array(
  optional(blocks).map((settings) => ({ port: { number: 8080 }, ...settings })),
  { minLength: 1, maxLength: 2 },
)

const retryBudget = fc.integer({ min: 0, max: 50 }).map((percent) => ({ percent }))

const trafficPolicy = optional({ ...blocks, portLevelSettings, retryBudget })

const subsets = fc.array(
  optional({ trafficPolicy }).map((rest) => ({ name: 'v1', labels: { version: 'v1' }, ...rest })),
  { maxLength: 2 },
)

/** The spec of a DestinationRule for a host. */
export function ruleFor(host: string): Arbitrary<JsonObject> {
  return optional({ trafficPolicy, subsets }).map((rest) => ({ host, ...rest }))
}

export const destinationRules: Arbitrary<JsonObject> = shop('DestinationRule', ruleFor('reviews'))

const certificate = fc
  .constantFrom('SIMPLE', 'MUTUAL', 'OPTIONAL_MUTUAL')
  .map((mode) => ({ mode, credentialName: 'shop' }))

const tls = fc.oneof(
  fc
    .record({
      base: certificate,
      rest: optional({ minProtocolVersion: fc.constantFrom('TLSV1_2', 'TLSV1_3', 'TLS_AUTO') }),
    })
    .map(({ base, rest }) => ({ ...base, ...rest })),
  fc.constantFrom({}, { mode: 'PASSTHROUGH' }, { mode: 'ISTIO_MUTUAL' }),
)

const server = fc.oneof(
  tls.map((tls) => ({ protocol: 'HTTPS', tls })),
  fc.constantFrom({ protocol: 'HTTP', tls: { httpsRedirect: true } }, { protocol: 'TCP' }),
)

export const gateways: Arbitrary<JsonObject> = shop(
  'Gateway',
  fc.array(server, { minLength: 1, maxLength: 4 }).map((servers) =>
    plain({
      selector: { istio: 'ingressgateway' },
      servers: servers.map(({ protocol, ...rest }, index) => ({
        port: { number: 8000 + index, name: `port-${index}`, protocol },
        hosts: [`${index}.example.com`],
        ...rest,
      })),
    }),
  ),
)
