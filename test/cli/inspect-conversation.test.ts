import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { run } from './run-in-process.ts'

const FOLDER = 'examples/broken-calls'
const PLAINTEXT = 'the server takes mTLS only and resets the connection'

/** What the first lines of an example say: the command that asks, and what it answers. */
function headOf(name: string): { readonly command: readonly string[]; readonly answer: readonly string[] } {
  const [first = '', ...others] = readFileSync(`${FOLDER}/${name}.yaml`, 'utf8').split('\n')
  const answer = others.slice(
    0,
    others.findIndex((line) => !line.startsWith('#')),
  )
  return { command: first.replace('# meshward ', '').split(' '), answer: answer.map((line) => line.slice(4)) }
}

/** The lines of an answer before its steps, without the first, which says the question again. */
async function verdictLines(command: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run(command)
  const [head = ''] = stdout.split('\n\n')
  return head
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
}

describe('why a call fails, with the object and field to change', () => {
  const causes: readonly (readonly [name: string, verdict: string, decider: string])[] = [
    [
      'hidden-by-sidecar',
      `fails: connection reset; the client speaks plaintext, since the Sidecar imports [./*, istio-system/*], and so not vault/ledger.vault.svc.cluster.local:80; ${PLAINTEXT}`,
      'Sidecar kiosk/default spec.egress[0].hosts',
    ],
    [
      'registry-only',
      'fails: 502; the registry has no api.example.com; outbound traffic to what the client does not see is blocked',
      'Sidecar lab/default spec.outboundTrafficPolicy.mode',
    ],
    [
      'missing-subset',
      'fails: 503; there is no subset "v2" of prices.stock.svc.cluster.local, but v1',
      'DestinationRule stock/prices spec.subsets',
    ],
    [
      'no-route',
      'fails: 404; no route of VirtualService stock/search takes GET /',
      'VirtualService stock/search spec.http',
    ],
    [
      'plaintext-to-strict',
      `fails: 503; the client speaks plaintext; ${PLAINTEXT}`,
      'DestinationRule vault/audit spec.trafficPolicy.tls.mode',
    ],
    [
      'default-deny',
      'fails: 403; AuthorizationPolicy safe/allow-nothing allows nothing, and nothing else allows GET / of cluster.local/ns/shop/sa/web',
      'AuthorizationPolicy safe/allow-nothing spec.rules',
    ],
    [
      'deny-policy',
      'fails: 403; a rule denies it to cluster.local/ns/shop/sa/web',
      'AuthorizationPolicy stock/no-refunds-for-shop spec.rules[0]',
    ],
    [
      'port-not-in-service',
      'fails: connection reset after 10s; orders.stock.svc.cluster.local has no port 8080, but 80: nobody answers there',
      'Service stock/orders spec.ports',
    ],
    ['unknown-host', 'fails: DNS failure; there is no Service for "invoice.stock"; did you mean "invoices.stock"?', ''],
    [
      'shadowed-virtual-service',
      'fails: 503; the route leads to offers-old.stock.svc.cluster.local, behind which nothing runs',
      'VirtualService stock/offers spec.http[0].route[0].destination.host',
    ],
    [
      'canary-without-pods',
      'fails partly: 503; 10 % of the requests (menus.stock.svc.cluster.local:80 subset v2): nothing that runs here is behind subset "v2" of menus.stock.svc.cluster.local',
      'DestinationRule stock/menus spec.subsets[1].labels',
    ],
    [
      'not-exported',
      `fails: 503; the client speaks plaintext, since archive.vault.svc.cluster.local is not exported to namespace shop; ${PLAINTEXT}`,
      'Service vault/archive metadata.annotations["networking.istio.io/exportTo"]',
    ],
    [
      'mtls-without-sidecar',
      'fails: 503; the client speaks mTLS to pods that have no sidecar',
      'DestinationRule legacy/reports spec.trafficPolicy.tls.mode',
    ],
    [
      'client-without-sidecar',
      `fails: connection reset; the client speaks plaintext, having no sidecar; ${PLAINTEXT}`,
      'PeerAuthentication vault/strict spec.mtls.mode',
    ],
    [
      'gateway-without-route',
      'fails: 404; VirtualService vault/sales has sales.shop.example, but Gateway edge/front takes it of other namespaces only',
      'Gateway edge/front spec.servers[0]',
    ],
    [
      'gateway-denied-by-service',
      'fails: 403; no rule of AuthorizationPolicy closed/only-web allows GET / of cluster.local/ns/edge/sa/ingress',
      'AuthorizationPolicy closed/only-web spec.rules',
    ],
    [
      'tcp-route',
      'fails: connection reset; subset "new" is in no DestinationRule that namespace shop uses for events.stock.svc.cluster.local',
      'VirtualService stock/events spec.tcp[0].route[0].destination.subset',
    ],
    [
      'tls-name',
      'fails: connection reset; no route of VirtualService stock/keys is for TLS that asks for "keys.stock"; outbound traffic to what the client does not see is blocked',
      'VirtualService stock/keys spec.tls',
    ],
    ['permissive', 'ok: an answer; it gets through to stock/api: no policy forbids it', ''],
    [
      'external-tls',
      'ok: an answer; it gets through to payments.example.com:443: in TLS, as far as the mesh decides',
      '',
    ],
  ]

  test.each(causes)('%s', async (name, verdict, decider) => {
    const expected = [verdict, ...(decider === '' ? [] : [`decided by ${decider}`])]
    const { command, answer } = headOf(name)
    expect({ printed: await verdictLines(command), promised: answer }).toStrictEqual({
      printed: expected,
      promised: expected,
    })
  })

  test('every example is one of these', () => {
    const files = readdirSync(FOLDER).map((file) => file.replace('.yaml', ''))
    expect(files.toSorted()).toStrictEqual(['mesh', ...causes.map(([name]) => name)].toSorted())
  })

  test('without what breaks it, the same call gets through', async () => {
    const mesh = readFileSync(`${FOLDER}/missing-subset.yaml`, 'utf8').replace('subset: v2', 'subset: v1')
    const command = ['inspect', `${FOLDER}/mesh.yaml`, '-', '--workload', 'shop/web', '--to', 'prices.stock:80']
    expect(await run(command, { stdin: mesh })).toStrictEqual({
      code: 0,
      stdout: `shop/web to prices.stock:80, GET /
  ok: an answer; it gets through to stock/api: no policy forbids it

  client       has a sidecar
  host         prices.stock.svc.cluster.local, a host of Service stock/prices                   Service stock/prices metadata.name
  visibility   the client sees every exported host: no Sidecar applies to it
  route        GET / goes to prices.stock.svc.cluster.local:80 subset v1                        VirtualService stock/prices spec.http[0]
  retries      tried up to 3 times; again where the request did not reach the server
  timeout      5s for all tries together                                                        VirtualService stock/prices spec.http[0].timeout
  destination  subset v1 of prices.stock.svc.cluster.local:80, by DestinationRule stock/prices  DestinationRule stock/prices spec.subsets[0].labels
  timeout      10s to connect
  transport    mTLS to pods with a sidecar, plaintext to others: automatic mTLS
  server       stock/api, reached in mTLS
  server       port 8080 is PERMISSIVE: it takes mTLS and plaintext
  policy       none: everybody may call
`,
      stderr: '',
    })
  })
})

describe('a conversation', () => {
  const mesh = 'test/cli/fixtures/mesh/shop.yaml'

  test('as JSON stands beside the facts', async () => {
    const command = ['inspect', '-o', 'json', mesh, '--workload', 'shop/web', '--to', 'cart:81']
    const { facts, conversation } = JSON.parse((await run(command)).stdout)
    expect(Object.keys(facts.outbound)).toStrictEqual(['shop/web-0'])
    expect(conversation).toStrictEqual([
      {
        clients: ['shop/web-0'],
        to: 'cart:81',
        request: { method: 'GET', path: '/' },
        verdict: {
          outcome: 'fails',
          sees: 'connection reset after 10s',
          why: 'cart.shop.svc.cluster.local has no port 81, but 80: nobody answers there',
          by: { kind: 'Service', namespace: 'shop', name: 'cart', field: 'spec.ports' },
        },
        steps: [
          { topic: 'client', text: 'has a sidecar' },
          {
            topic: 'host',
            text: 'cart.shop.svc.cluster.local, a host of Service shop/cart',
            by: { kind: 'Service', namespace: 'shop', name: 'cart', field: 'metadata.name' },
          },
          {
            topic: 'visibility',
            text: 'cart.shop.svc.cluster.local has no port 81, but 80',
            by: { kind: 'Service', namespace: 'shop', name: 'cart', field: 'spec.ports' },
          },
          {
            topic: 'transport',
            text: 'as the application sends it, to the address that DNS gives: what the client does not see passes',
          },
        ],
      },
    ])
  })

  test.each<readonly [what: string, args: readonly string[], firstLines: readonly string[]]>([
    ['one for each port, where none is named', ['--to', 'cart'], ['shop/web-0 to cart:80, GET /']],
    [
      'one for each request',
      ['--to', 'cart:80', '--requests', 'test/cli/fixtures/mesh/requests.json'],
      ['web', 'other', 'plain'].map((id) => `shop/web-0 to cart:80, GET / (${id})`),
    ],
  ])('%s', async (_, args, firstLines) => {
    const { stdout } = await run(['inspect', mesh, '--workload', 'shop/web', ...args])
    expect(stdout.split('\n').filter((line) => line.startsWith('shop/'))).toStrictEqual(firstLines)
  })

  test('with several ends tells each part on its own', async () => {
    const { stdout } = await run(['inspect', FOLDER, '--workload', 'shop/web', '--to', 'menus.stock:80'])
    const rows = stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    const from = rows.findIndex(([topic]) => topic === 'of which')
    expect(rows.slice(from).map(([topic, text]) => [topic, text])).toStrictEqual([
      ['of which', 'menus.stock.svc.cluster.local:80 subset v1'],
      ['destination', 'subset v1 of menus.stock.svc.cluster.local:80, by DestinationRule stock/menus'],
      ['timeout', '10s to connect'],
      ['transport', 'mTLS to pods with a sidecar, plaintext to others: automatic mTLS'],
      ['server', 'stock/api, reached in mTLS'],
      ['server', 'port 8080 is PERMISSIVE: it takes mTLS and plaintext'],
      ['policy', 'none: everybody may call'],
      ['verdict', 'ok: an answer; it gets through to stock/api: no policy forbids it'],
      ['of which', 'menus.stock.svc.cluster.local:80 subset v2'],
      ['destination', 'subset v2 of menus.stock.svc.cluster.local:80, by DestinationRule stock/menus'],
      ['timeout', '10s to connect'],
      ['transport', 'mTLS to pods with a sidecar, plaintext to others: automatic mTLS'],
      ['verdict', 'fails: 503; nothing that runs here is behind subset "v2" of menus.stock.svc.cluster.local'],
      ['', undefined],
    ])
  })

  test('has colours on a terminal, in columns all the same', async () => {
    const command = ['inspect', mesh, '--workload', 'shop/web', '--to', 'cart:80']
    const coloured = (await run(command, { colour: true })).stdout
    const plain = (await run([...command, '--no-color'], { colour: true })).stdout
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
    expect(coloured).not.toBe(plain)
    expect(coloured.replaceAll(escapes, '')).toBe(plain)
    expect(plain).toBe((await run(command)).stdout)
  })

  const edge = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: front, namespace: edge }
spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: api, namespace: stock }
spec:
  parentRefs: [{ name: front, namespace: edge }]
  hostnames: [api.example]
  rules: [{ backendRefs: [{ name: api, port: 80 }] }]
`
  test('may begin at a Gateway of the Gateway API, of which files hold no pod', async () => {
    const command = ['inspect', `${FOLDER}/mesh.yaml`, '-', '--workload', 'edge/front', '--to', 'api.example']
    const { code, stdout } = await run(command, { stdin: edge })
    expect({ code, head: stdout.split('\n').slice(0, 2) }).toStrictEqual({
      code: 0,
      head: [
        'edge/front to api.example:80, GET /',
        '  ok: an answer; it gets through to stock/api: no policy forbids it',
      ],
    })
  })

  test('begins at its pods where there are any', async () => {
    const labels = '{ gateway.networking.k8s.io/gateway-name: front }'
    const spec = '{ containers: [{ name: istio-proxy, args: [proxy, router] }] }'
    const own = `${edge}---\napiVersion: v1\nkind: Pod\nmetadata: { name: front-istio-1, namespace: edge, labels: ${labels} }\nspec: ${spec}\n`
    const command = ['inspect', `${FOLDER}/mesh.yaml`, '-', '--workload', 'edge/front', '--to', 'api.example']
    const { stdout } = await run(command, { stdin: own })
    expect(stdout.split('\n')[0]).toBe('edge/front-istio-1 to api.example:80, GET /')
  })

  test('does not begin at what nobody knows', async () => {
    const command = ['inspect', `${FOLDER}/mesh.yaml`, '-', '--workload', 'edge/fornt', '--to', 'api.example']
    expect((await run(command, { stdin: edge })).code).toBe(2)
  })

  test('needs a workload: without one, what all do towards the host', async () => {
    const { conversation } = JSON.parse((await run(['inspect', '-o', 'json', mesh, '--to', 'cart:80'])).stdout)
    expect(conversation).toBe(undefined)
  })
})
