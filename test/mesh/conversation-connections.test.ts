import { describe, expect, test } from 'vitest'

import { answersIn, verdictIn } from './conversation-in.ts'
import { meshFrom, object, pod, service } from './mesh-from.ts'

const tls = service('shop', 'vault').replace('name: http, port: 80', 'name: tls, port: 443')
const world =
  pod('shop', 'web', 'app: web') +
  pod('shop', 'cart', 'app: cart, version: v1') +
  pod('shop', 'vault', 'app: vault') +
  service('shop', 'cart') +
  tls
const CART = 'cart.shop.svc.cluster.local'
const VAULT = 'vault.shop.svc.cluster.local'
const THROUGH = 'ok: an answer; it gets through to shop/cart: no policy forbids it'
const TO_VAULT = 'ok: an answer; it gets through to shop/vault: no policy forbids it'
const DB = { to: 'cart:5432' }
const SECURE = { to: `${VAULT}:443` }
const CART_DB = `{ destination: { host: ${CART}, port: { number: 5432 } } }`
const VAULT_DB = `{ destination: { host: ${VAULT}, port: { number: 5432 } } }`

const routing = (name: string, spec: string, minute = 0): string => object('VirtualService', 'shop', name, spec, minute)
const tcp = (...entries: readonly string[]): string =>
  routing('v', `{ hosts: [cart], tcp: [${entries.map((entry) => `{ ${entry} }`).join(', ')}] }`)
const bySni = (...entries: readonly string[]): string =>
  routing('v', `{ hosts: [vault], tls: [${entries.map((entry) => `{ ${entry} }`).join(', ')}] }`)
const to = (...destinations: readonly string[]): string => `route: [${destinations.join(', ')}]`

describe('a connection goes', () => {
  test.each<readonly [string, string, readonly string[], string]>([
    ['to the host itself', '', [`tcp, so routes for HTTP have no say: it goes to ${CART}:5432`], THROUGH],
    [
      'where a route sends it',
      tcp(to(VAULT_DB)),
      [`tcp goes to ${VAULT}:5432 — VirtualService shop/v spec.tcp[0]`],
      TO_VAULT,
    ],
    [
      'by the first route that is for it',
      tcp(
        `match: [{ port: 80 }], ${to(CART_DB)}`,
        `match: [{ sourceLabels: { app: other } }, { gateways: [shop/gate] }, { sourceNamespace: pay }], ${to(CART_DB)}`,
        `match: [{ port: 5432, sourceLabels: { app: web }, gateways: [mesh], sourceNamespace: shop }], ${to(VAULT_DB)}`,
        to(CART_DB),
      ),
      [`tcp goes to ${VAULT}:5432 — VirtualService shop/v spec.tcp[2]`],
      TO_VAULT,
    ],
    [
      'to the host itself where no route is for it',
      tcp(`match: [{ port: 80 }], ${to(VAULT_DB)}`),
      [`tcp, so routes for HTTP have no say: it goes to ${CART}:5432`],
      THROUGH,
    ],
    [
      'past routes for TLS, its port being TCP',
      routing('v', `{ hosts: [cart], tls: [{ match: [{ sniHosts: [${CART}] }], ${to(VAULT_DB)} }] }`),
      [`tcp, so routes for HTTP have no say: it goes to ${CART}:5432`],
      THROUGH,
    ],
    [
      'by the closest range around the address of the host',
      tcp(
        `match: [{ destinationSubnets: [10.1.0.0/16] }], ${to(CART_DB)}`,
        `match: [{ destinationSubnets: [10.1.0.1] }], ${to(VAULT_DB)}`,
        to(CART_DB),
      ),
      [`tcp to 10.1.0.1/32 goes to ${VAULT}:5432 — VirtualService shop/v spec.tcp[1]`],
      TO_VAULT,
    ],
    [
      'not by ranges around others',
      tcp(`match: [{ destinationSubnets: [10.2.0.0/16] }], ${to(VAULT_DB)}`, to(CART_DB)),
      [`tcp goes to ${CART}:5432 — VirtualService shop/v spec.tcp[1]`],
      THROUGH,
    ],
    [
      'to the host itself where all ranges are around others',
      tcp(`match: [{ destinationSubnets: [10.2.0.0/16] }], ${to(VAULT_DB)}`),
      [`no route is for 10.1.0.1: it goes to ${CART}:5432`],
      THROUGH,
    ],
    [
      'by an older VirtualService with a wildcard before a younger one with the name',
      routing('any', `{ hosts: ["*.svc.cluster.local"], tcp: [{ ${to(VAULT_DB)} }] }`, 1) +
        routing('own', `{ hosts: [cart], tcp: [{ ${to(CART_DB)} }] }`, 2),
      [`tcp goes to ${VAULT}:5432 — VirtualService shop/any spec.tcp[0]`],
      TO_VAULT,
    ],
    [
      'to the only port of its destination, where none is named',
      object(
        'ServiceEntry',
        'shop',
        'one',
        '{ hosts: [one.example], ports: [{ number: 7000, name: tcp, protocol: TCP }], resolution: DNS }',
      ) + tcp(to('{ destination: { host: one.example } }')),
      ['tcp goes to one.example:7000 — VirtualService shop/v spec.tcp[0]'],
      'ok: an answer; it gets through to one.example:7000: as the application sends it, as far as the mesh decides',
    ],
    [
      'nowhere where the route leads to nobody',
      tcp(to('{ destination: { host: cat } }')),
      ['tcp goes to cat.shop.svc.cluster.local:5432 — VirtualService shop/v spec.tcp[0]'],
      'fails: connection reset; the route leads to cat.shop.svc.cluster.local, which the registry does not have — VirtualService shop/v spec.tcp[0].route[0].destination.host',
    ],
    [
      'partly nowhere',
      tcp(
        to(
          `{ ${CART_DB.slice(1, -1)}, weight: 75 }`,
          `{ ${VAULT_DB.slice(1, -1)}, weight: 0 }`,
          `{ destination: { host: cart, port: { number: 5432 }, subset: v2 }, weight: 25 }`,
        ),
      ),
      [`tcp goes to ${CART}:5432 and ${CART}:5432 subset v2 — VirtualService shop/v spec.tcp[0]`],
      `partly: connection reset; 25 % of the connections (${CART}:5432 subset v2): subset "v2" is in no DestinationRule that namespace shop uses for ${CART} — VirtualService shop/v spec.tcp[0].route[2].destination.subset`,
    ],
  ])('%s', (_, more, route, verdict) => {
    const mesh = meshFrom(world + more)
    expect([answersIn(mesh, 'route', DB), verdictIn(mesh, DB)]).toStrictEqual([route, verdict])
  })
})

describe('TLS goes', () => {
  const only = (name: string, rest: string): string => `match: [{ sniHosts: [${name}] }], ${rest}`
  test.each<readonly [string, string, typeof SECURE, readonly string[], string]>([
    ['to the host itself', '', SECURE, [`tls, so routes for HTTP have no say: it goes to ${VAULT}:443`], TO_VAULT],
    [
      'by the name that it asks for',
      bySni(only('other.example', to(VAULT_DB)), only(VAULT, to(CART_DB))),
      SECURE,
      [`TLS for ${VAULT} goes to ${CART}:5432 — VirtualService shop/v spec.tls[1]`],
      THROUGH,
    ],
    [
      'by the most specific name',
      bySni(
        only('"*"', to(VAULT_DB)),
        only('"*.svc.cluster.local"', to(CART_DB)),
        only('"*.cluster.local"', to(VAULT_DB)),
      ),
      SECURE,
      [`TLS for *.svc.cluster.local goes to ${CART}:5432 — VirtualService shop/v spec.tls[1]`],
      THROUGH,
    ],
    [
      'by a route for every name, if by no other',
      bySni(only('"*.example"', to(CART_DB)), only('"*"', to(VAULT_DB))),
      SECURE,
      [`TLS for * goes to ${VAULT}:5432 — VirtualService shop/v spec.tls[1]`],
      TO_VAULT,
    ],
    [
      'by the first of two routes for one name',
      bySni(only(VAULT, to(CART_DB)), only(VAULT, to(VAULT_DB))),
      SECURE,
      [`TLS for ${VAULT} goes to ${CART}:5432 — VirtualService shop/v spec.tls[0]`],
      THROUGH,
    ],
    [
      'past routes for TCP, its port being TLS',
      routing('v', `{ hosts: [vault], tcp: [{ ${to(CART_DB)} }] }`),
      SECURE,
      [`tls, so routes for HTTP have no say: it goes to ${VAULT}:443`],
      TO_VAULT,
    ],
    [
      'to the host itself where the routes are for others',
      bySni(`match: [{ sniHosts: [${VAULT}], sourceNamespace: pay }], ${to(CART_DB)}`),
      SECURE,
      [`tls, so routes for HTTP have no say: it goes to ${VAULT}:443`],
      TO_VAULT,
    ],
    [
      'past the sidecar where no route has its name',
      bySni(only(VAULT, to(CART_DB))),
      { to: 'vault:443' },
      ['no route of VirtualService shop/v is for TLS that asks for "vault" — VirtualService shop/v spec.tls'],
      TO_VAULT,
    ],
    [
      'nowhere where what has no place is blocked',
      bySni(only(VAULT, to(CART_DB))) +
        object('Sidecar', 'shop', 'default', '{ outboundTrafficPolicy: { mode: REGISTRY_ONLY } }'),
      { to: 'vault:443' },
      ['no route of VirtualService shop/v is for TLS that asks for "vault" — VirtualService shop/v spec.tls'],
      'fails: connection reset; no route of VirtualService shop/v is for TLS that asks for "vault"; outbound traffic to what the client does not see is blocked — VirtualService shop/v spec.tls',
    ],
    [
      'nowhere known where ranges decide and the address is not here',
      bySni(`match: [{ sniHosts: [${VAULT}], destinationSubnets: [10.1.0.0/16] }], ${to(CART_DB)}`) +
        tls.replace('clusterIP: 10.1.0.1', 'clusterIP: None'),
      SECURE,
      [],
      'unknown: it depends; its routes ask for the address that the client connects to, which is not here — VirtualService shop/v spec.tls[0]',
    ],
  ])('%s', (_, more, asked, route, verdict) => {
    const mesh = meshFrom(world + more)
    expect([answersIn(mesh, 'route', asked), verdictIn(mesh, asked)]).toStrictEqual([route, verdict])
  })
})
