import { describe, expect, test } from 'vitest'

import { run } from './run-in-process.ts'

const MESH = 'test/cli/fixtures/mesh/shop.yaml'
const REQUESTS = ['--requests', 'test/cli/fixtures/mesh/requests.json']
const CART = 'shop/cart-7d4b9c6f5-x2x9k'

describe('a mesh from files', () => {
  test('for people: what each workload accepts and why, what becomes of requests, and how it calls others', async () => {
    expect(await run(['inspect', MESH, ...REQUESTS])).toStrictEqual({
      code: 0,
      stdout: `workload shop/cart-7d4b9c6f5-x2x9k
  sees      every exported host (no Sidecar); unknown hosts: ALLOW_ANY
  accepts
    8080   STRICT  PeerAuthentication shop/default spec.mtls.mode  ALLOW shop/web-only#0
    other  STRICT  PeerAuthentication shop/default spec.mtls.mode
  requests
    8080  web    allow    AuthorizationPolicy shop/web-only#0
    8080  other  deny     no ALLOW rule matches: shop/web-only#0
    8080  plain  refused  PeerAuthentication shop/default spec.mtls.mode
  calls
    cart.shop.svc.cluster.local:80
      TLS AUTO, by DestinationRule shop/cart; { endpoints: { shop/cart-7d4b9c6f5-x2x9k: mtls }, lb: LEAST_REQUEST, limits: { maxConnections: 50 } }
      route "all" by VirtualService shop/cart: { path: { prefix: / } } to [{ host: cart.shop.svc.cluster.local, port: 80 }], timeout 5s, retries 1 on "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"

workload shop/web-0
  sees      every exported host (no Sidecar); unknown hosts: ALLOW_ANY
  accepts
    other  STRICT  PeerAuthentication shop/default spec.mtls.mode
  calls     as workload shop/cart-7d4b9c6f5-x2x9k does
`,
      stderr: '',
    })
  })

  test('for people: what a gateway serves, what ztunnel and a waypoint enforce, and what is without effect', async () => {
    expect(await run(['inspect', 'test/cli/fixtures/mesh/edge.yaml'])).toStrictEqual({
      code: 0,
      stdout: `gateway edge/gw-0
  servers
    edge/front#0  port 8080
    edge/front#1  port 8443
  port 8080: plain HTTP, by edge/front#0
    stock.example.com: redirects plain requests to https
      route by VirtualService stock/stock: { path: { prefix: / } } to [{ host: stock.stock.svc.cluster.local, port: 80 }], timeout 5s, retries 2 on "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
  port 8443 for stock.example.com: TLS SIMPLE, certificate Secret edge/stock-tls, which it does not get, by edge/front#1
    stock.example.com
      route by VirtualService stock/stock: { path: { prefix: / } } to [{ host: stock.stock.svc.cluster.local, port: 80 }], timeout 5s, retries 2 on "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"

pod stock/stock-0
  is        in ambient: ztunnel carries what it sends and gets
  behind    stock.stock.svc.cluster.local
  waypoint  none for its own address
  policies  DENY istio-system/istio_converted_static_strict
  accepts
    8080   STRICT  PeerAuthentication stock/default spec.mtls.mode
    other  STRICT  PeerAuthentication stock/default spec.mtls.mode

waypoint stock/waypoint
  for       service traffic
    stock.stock.svc.cluster.local:80
      http; ALLOW stock/readers#0
      one route, Istio's default: no timeout

without effect
  no gateway serves stock/stock stock.example.org
  AuthorizationPolicy stock/lost takes effect nowhere
`,
      stderr: '',
    })
  })

  test('for people: what decides about requests to a pod in ambient', async () => {
    const args = ['--requests', 'test/cli/fixtures/mesh/requests.json', '--workload', 'stock/stock-0']
    const { stdout } = await run(['inspect', 'test/cli/fixtures/mesh/edge.yaml', ...args])
    const verdict = 'PeerAuthentication stock/default spec.mtls.mode'
    expect(stdout.slice(stdout.indexOf('  requests'))).toBe(`  requests
    8080   web    allow  nothing forbids it
    8080   other  allow  nothing forbids it
    8080   plain  deny   ${verdict}
    other  web    allow  nothing forbids it
    other  other  allow  nothing forbids it
    other  plain  deny   ${verdict}
`)
  })

  test('as JSON: every fact of sidecars, gateways and ambient', async () => {
    const { facts } = JSON.parse((await run(['inspect', '-o', 'json', MESH, ...REQUESTS])).stdout)
    const expected =
      'services sidecar outboundPolicy inbound outbound routes otherRoutes access defaultRetries ' +
      'gateways unusedGateways virtualServices unboundHosts ' +
      'serviceWaypoints pods ztunnelPolicies notSentToZtunnel waypoints nowhere'
    expect(Object.keys(facts).toSorted()).toStrictEqual(expected.split(' ').toSorted())
    expect({ inbound: facts.inbound, results: facts.access[CART][8080].results }).toStrictEqual({
      inbound: { [CART]: { 8080: 'STRICT', other: 'STRICT' }, 'shop/web-0': { other: 'STRICT' } },
      results: { web: 'allow', other: 'deny', plain: 'refused' },
    })
  })

  test('as JSON, hosts that a workload does not see are null, or left out on demand', async () => {
    const scoped = `apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: none, namespace: shop}\nspec: {egress: [{hosts: [other/*]}]}\n`
    const outboundOf = async (...options: readonly string[]): Promise<unknown> =>
      JSON.parse((await run(['inspect', '-o', 'json', MESH, '-', ...options], { stdin: scoped })).stdout).facts
        .outbound[CART]
    expect(await outboundOf()).toStrictEqual({ 'cart.shop.svc.cluster.local:80': null })
    expect(await outboundOf('--no-hidden')).toStrictEqual({})
  })

  test.each<readonly [asked: string, workloads: readonly string[]]>([
    ['shop/web-0', ['shop/web-0']],
    ['shop/web', ['shop/web-0']],
    ['shop/cart', [CART]],
    [CART, [CART]],
  ])('narrowed to %s', async (asked, workloads) => {
    const { facts } = JSON.parse((await run(['inspect', '-o', 'json', '--workload', asked, MESH])).stdout)
    expect([Object.keys(facts.inbound), Object.keys(facts.outbound), facts.nowhere]).toStrictEqual([
      workloads,
      workloads,
      undefined,
    ])
  })

  test.each<readonly [to: string, targets: readonly string[]]>([
    ['cart:80', ['cart.shop.svc.cluster.local:80']],
    ['cart.shop', ['cart.shop.svc.cluster.local:80']],
    ['cart:81', []],
    ['car', []],
  ])('narrowed to calls of %s', async (to, targets) => {
    const { facts } = JSON.parse((await run(['inspect', '-o', 'json', '--to', to, MESH])).stdout)
    expect([Object.keys(facts.outbound[CART]), Object.keys(facts.routes[CART])]).toStrictEqual([targets, targets])
  })

  test('settings come from the ConfigMap, whatever the order of documents', async () => {
    const settings =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio, namespace: istio-system }\ndata: { mesh: "outboundTrafficPolicy: { mode: REGISTRY_ONLY }" }\n'
    const runs = [
      await run(['inspect', '-o', 'json', '-', MESH], { stdin: settings }),
      await run(['inspect', '-o', 'json', MESH, '-'], { stdin: settings }),
    ]
    expect(new Set(runs.map(({ stdout }) => stdout)).size).toBe(1)
    expect(JSON.parse(runs[0]?.stdout ?? '').facts.outboundPolicy['shop/web-0']).toBe('REGISTRY_ONLY')
  })
})

describe('what cannot be inspected is 2, with a sentence', () => {
  test.each<readonly [name: string, args: readonly string[], stdin: string, stderr: string]>([
    [
      'a workload that is not there',
      ['--workload', 'shop/web-1', MESH],
      '',
      'CLI-05: --workload: nothing here is called "shop/web-1"; did you mean "shop/web-0"?\n',
    ],
    [
      'requests that are no list',
      ['--requests', '-', MESH],
      'a: 1',
      '-: CLI-04: this holds no list of requests; write a list of {id, principal, ip, method, path, host}\n',
    ],
    ['nothing', ['-'], '', 'DOC-10: there is no Kubernetes object in what was given; give at least one manifest\n'],
  ])('%s', async (_, args, stdin, stderr) => {
    expect(await run(['inspect', ...args], { stdin })).toStrictEqual({
      code: 2,
      stdout: '',
      stderr: stderr.replace(/^-:/, 'standard input:'),
    })
  })

  test('a broken document beside good ones: the others are inspected', async () => {
    const { code, stdout, stderr } = await run(['inspect', MESH, '-'], { stdin: 'a: b: c' })
    expect(code).toBe(2)
    expect(stdout).toContain('workload shop/web-0')
    expect(stderr).toContain('standard input:1:4: DOC-01: ')
  })

  test('a mesh in which nothing runs says so', async () => {
    const stdin = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n'
    expect(await run(['inspect', '-'], { stdin })).toStrictEqual({
      code: 0,
      stdout: 'nothing of the mesh runs here: no pod with a sidecar, no gateway, nothing ambient\n',
      stderr: '',
    })
  })
})
