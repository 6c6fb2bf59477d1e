import * as fc from 'fast-check'

import type { Json, JsonObject } from '../../src/kube/json.ts'

const anyKey = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'a/b~c', '', '8443', 'mode', 'host', 'name', 'labels', 'a]b'),
  fc.string({ maxLength: 4 }),
)

/** Any JSON, with keys that have a meaning to JavaScript, to JSON Pointers, or to nobody. */
export const anyJson: fc.Arbitrary<Json> = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(
      null,
      true,
      false,
      0,
      -1,
      1.5,
      1e300,
      '',
      '*',
      '15s',
      '0s',
      'false',
      'DISABLE',
      '\uD800',
      'ä\n"\\',
    ),
    fc.string({ maxLength: 6 }),
    fc.array(tie('json'), { maxLength: 3 }),
    fc.dictionary(anyKey, tie('json'), { maxKeys: 4 }),
  ),
})).json

/** Some of the members, as people leave them out. */
function some(members: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<JsonObject> {
  return fc.record(members, { requiredKeys: [] })
}

function odd(usual: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc.oneof({ arbitrary: usual, weight: 12 }, { arbitrary: anyJson, weight: 1 })
}

const text = (...values: readonly string[]): fc.Arbitrary<Json> => odd(fc.constantFrom(...values))
const duration = text('15s', '1m30s', '90s', '0s', '15', '2h', '250ms', '1.5s', '-1s')
const count = odd(fc.oneof(fc.nat({ max: 20 }), fc.constantFrom('5', '0', -1, 2.5, 'many')))
const list = (item: fc.Arbitrary<Json>, maxLength = 3): fc.Arbitrary<Json> => odd(fc.array(item, { maxLength }))
const tls = odd(
  some({
    mode: text('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
    insecureSkipVerify: odd(fc.boolean()),
    sni: text('a.com'),
  }),
)

const trafficPolicyMembers = {
  tls,
  loadBalancer: odd(some({ simple: text('RANDOM') })),
  connectionPool: odd(
    some({
      tcp: odd(some({ maxConnections: count, connectTimeout: duration })),
      http: odd(some({ http1MaxPendingRequests: count, http2MaxRequests: count, maxRetries: count })),
    }),
  ),
  outlierDetection: odd(
    some({
      consecutive5xxErrors: count,
      consecutiveGatewayErrors: count,
      consecutiveErrors: count,
      maxEjectionPercent: count,
      interval: duration,
      baseEjectionTime: duration,
    }),
  ),
  retryBudget: odd(some({ percent: count, minRetryConcurrency: count })),
}
const port = odd(some({ number: odd(fc.constantFrom(80, 443, '8080')) }))
const trafficPolicy = odd(
  some({ ...trafficPolicyMembers, portLevelSettings: list(odd(some({ port, ...trafficPolicyMembers }))) }),
)

const destination = odd(
  some({ host: text('reviews', 'ratings', 'reviews.shop.svc.cluster.local'), subset: text('v1', 'v2') }),
)
const httpRoute = odd(
  some({
    name: text('a', 'b', 'stream'),
    match: list(
      odd(
        some({
          uri: odd(some({ prefix: text('/', '/api') })),
          headers: odd(
            some({
              upgrade: odd(some({ exact: text('websocket') })),
              'content-type': odd(some({ prefix: text('application/grpc') })),
            }),
          ),
        }),
      ),
    ),
    route: list(odd(some({ destination, weight: count }))),
    redirect: odd(some({ uri: text('/') })),
    directResponse: odd(some({ status: count })),
    delegate: odd(some({ name: text('other') })),
    timeout: duration,
    retries: odd(
      some({ attempts: count, perTryTimeout: duration, retryOn: text('5xx', 'connect-failure', '', 'reset,5xx') }),
    ),
  }),
)
const source = odd(
  some({
    principals: list(text('*', 'cluster.local/ns/a/sa/b')),
    namespaces: list(text('*', 'web')),
    requestPrincipals: list(text('*')),
    ipBlocks: list(text('0.0.0.0/0', '10.0.0.0/8')),
    notPrincipals: list(text('*', 'x')),
    notNamespaces: list(text('web')),
  }),
)
const operation = odd(
  some({
    paths: list(text('*', '/admin')),
    methods: list(text('*', 'GET')),
    notPaths: list(text('/x')),
    ports: list(text('8080')),
  }),
)
const condition = odd(
  some({
    key: text('source.ip', 'request.headers[:path]', 'source.principal'),
    values: list(text('*', '0.0.0.0/0')),
    notValues: list(text('a')),
  }),
)
const templateMetadata = odd(
  some({
    labels: odd(some({ 'sidecar.istio.io/inject': text('false', 'true'), app: text('a') })),
    annotations: odd(some({ 'sidecar.istio.io/inject': text('false', 'true') })),
  }),
)

const specs: Readonly<Record<string, readonly [string, fc.Arbitrary<Json>]>> = {
  VirtualService: [
    'networking.istio.io/v1',
    odd(some({ hosts: list(text('reviews', '*')), gateways: list(text('mesh', 'gw')), http: list(httpRoute, 5) })),
  ],
  DestinationRule: [
    'networking.istio.io/v1beta1',
    odd(
      some({
        host: text('reviews', '*.local', '*'),
        trafficPolicy,
        subsets: list(odd(some({ name: text('v1', 'v2'), labels: odd(some({ v: text('1') })), trafficPolicy }))),
      }),
    ),
  ],
  Gateway: [
    'networking.istio.io/v1alpha3',
    odd(
      some({
        selector: odd(some({ istio: text('ingressgateway', 'egressgateway') })),
        servers: list(
          odd(
            some({
              port: odd(
                some({ number: count, protocol: text('HTTP', 'HTTPS', 'TLS', 'TCP', 'http'), name: text('a') }),
              ),
              hosts: list(text('*', 'shop.example.com', 'ns/*', './*')),
              tls: odd(
                some({
                  mode: text('SIMPLE', 'PASSTHROUGH', 'MUTUAL'),
                  httpsRedirect: odd(fc.boolean()),
                  credentialName: text('c'),
                  minProtocolVersion: text('TLSV1_0', 'TLSV1_2', 'TLS_AUTO'),
                }),
              ),
            }),
          ),
        ),
      }),
    ),
  ],
  PeerAuthentication: [
    'security.istio.io/v1',
    odd(
      some({
        selector: odd(some({ matchLabels: odd(some({ app: text('a') })) })),
        mtls: odd(some({ mode: text('STRICT', 'PERMISSIVE', 'UNSET', 'DISABLE') })),
        portLevelMtls: odd(
          fc.dictionary(fc.constantFrom('8080', '8443', '__proto__'), odd(some({ mode: text('STRICT', 'DISABLE') })), {
            maxKeys: 3,
          }),
        ),
      }),
    ),
  ],
  AuthorizationPolicy: [
    'security.istio.io/v1beta1',
    odd(
      some({
        action: text('ALLOW', 'DENY', 'CUSTOM', 'AUDIT'),
        rules: list(
          odd(some({ from: list(odd(some({ source }))), to: list(odd(some({ operation }))), when: list(condition) })),
        ),
      }),
    ),
  ],
  Sidecar: [
    'networking.istio.io/v1',
    odd(
      some({
        egress: list(odd(some({ hosts: list(text('*/*', './*', 'istio-system/*')) }))),
        outboundTrafficPolicy: odd(some({ mode: text('ALLOW_ANY', 'REGISTRY_ONLY') })),
      }),
    ),
  ],
  Namespace: ['v1', fc.constant({})],
  Pod: ['v1', fc.constant({ containers: [] })],
  Deployment: ['apps/v1', odd(some({ template: odd(some({ metadata: templateMetadata })) }))],
  CronJob: [
    'batch/v1',
    odd(some({ jobTemplate: odd(some({ spec: odd(some({ template: odd(some({ metadata: templateMetadata })) })) })) })),
  ],
}

const meta = some({
  labels: odd(
    some({
      'istio-injection': text('enabled', 'disabled'),
      'istio.io/rev': text('canary'),
      'sidecar.istio.io/inject': text('false'),
      app: text('a'),
    }),
  ),
  annotations: odd(
    some({
      'istio.io/dry-run': text('true'),
      'sidecar.istio.io/inject': text('false'),
      'meshward.io/long-lived-routes': text('stream', 'a, b'),
      'meshward.io/filled': text('[]', 'x'),
    }),
  ),
  ownerReferences: list(odd(some({ kind: text('ReplicaSet', 'CronJob'), controller: odd(fc.boolean()) }))),
})

/** An object of a kind that policies speak of: mostly as people write it, right and wrong, and odd in places. */
export const meshObject: fc.Arbitrary<JsonObject> = fc
  .constantFrom(...Object.entries(specs))
  .chain(([kind, [apiVersion, spec]]) =>
    fc
      .tuple(meta, spec, fc.constantFrom('shop', 'istio-system', 'kube-system'))
      .map(([more, body, namespace]): JsonObject => {
        const name = kind === 'Namespace' ? { name: namespace } : { name: 'a', namespace }
        return { apiVersion, kind, metadata: { ...more, ...name }, spec: body }
      }),
  )

/** An object of such a kind with any JSON for everything else. */
export const anyObject: fc.Arbitrary<JsonObject> = fc
  .tuple(fc.constantFrom(...Object.entries(specs)), anyJson, anyJson)
  .map(([[kind, [apiVersion]], metadata, spec]): JsonObject => ({ apiVersion, kind, metadata, spec }))
