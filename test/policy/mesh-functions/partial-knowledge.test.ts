import { describe, expect, test } from 'vitest'

import { object, objectsFrom, pod, service } from '../../mesh/mesh-from.ts'
import { ask } from './ask.ts'

const route = (destination: string, more = ''): string =>
  object(
    'VirtualService',
    'shop',
    'v',
    `{ hosts: [cart], http: [{ route: [{ destination: ${destination} }] ${more} }] }`,
  )
const other = service('shop', 'other')
const subsets = object(
  'DestinationRule',
  'shop',
  'cart',
  '{ host: cart, subsets: [{ name: v1, labels: { version: v1 }, trafficPolicy: {} }] }',
)
const selecting = object('Sidecar', 'shop', 's', '{ workloadSelector: { labels: { app: cart } }, egress: [] }')

/** A function, the object, the field, and the least that has to be known for an answer. */
const QUESTIONS: readonly (readonly [name: string, object: string, field: string, enough: string])[] = [
  ['routing.unknownDestinations', route('{ host: cart }'), 'spec.http[0].route[0].destination.host', other],
  ['routing.unknownMirrors', route('{ host: other }', ', mirror: { host: cart }'), 'spec.http[0].mirror.host', other],
  [
    'routing.unknownDestinations',
    route('{ host: cart.stock.svc.cluster.local }'),
    'spec.http[0].route[0].destination.host',
    service('stock', 'other'),
  ],
  [
    'routing.unknownSubsets',
    route('{ host: cart, subset: v1 }'),
    'spec.http[0].route[0].destination.subset',
    object('DestinationRule', 'shop', 'other', '{ host: other }'),
  ],
  [
    'routing.unknownGateways',
    object('VirtualService', 'shop', 'v', '{ hosts: [a.com], gateways: [edge/web] }'),
    'spec.gateways[0]',
    object('Gateway', 'edge', 'other', '{ servers: [] }'),
  ],
  ['routing.unknownHost', object('DestinationRule', 'shop', 'd', '{ host: cart }'), 'spec.host', other],
  ['routing.emptySubsets', subsets, 'spec.subsets[0].labels', pod('shop', 'cart-1', 'app: cart')],
  [
    'routing.idleSubsetPolicies',
    subsets,
    'spec.subsets[0].trafficPolicy',
    object('VirtualService', 'shop', 'other', '{ hosts: [other] }'),
  ],
  ['scoping.idleSelector', selecting, 'spec.workloadSelector.labels', pod('shop', 'web-1', 'app: web')],
  [
    'scoping.unknownImports',
    object('Sidecar', 'shop', 's', '{ egress: [{ hosts: ["./cart.shop.svc.cluster.local"] }] }'),
    'spec.egress[0].hosts[0]',
    other,
  ],
  [
    'resilience.unboundedRetries',
    route('{ host: cart }', ', retries: { attempts: 2 }'),
    'spec.http[0].retries.attempts',
    object('DestinationRule', 'shop', 'other', '{ host: other }'),
  ],
]

describe('of a few files nothing is said about what they may not show', () => {
  // a Service without which there would be nothing to ask about
  const around = (name: string): string => (name === 'routing.emptySubsets' ? service('shop', 'cart') : '')

  test.each(QUESTIONS)('%s skips the place, of %s', (name, yaml, field) => {
    const [asked] = objectsFrom(yaml)
    const skipped = asked && ask(name, { object: asked, mesh: objectsFrom(around(name)), knowledge: 'partial' })
    const place = name === 'routing.idleSubsetPolicies' ? 'spec.subsets' : field
    expect(skipped).toEqual([{ field: place, outcome: 'skip' }])
  })

  test.each(QUESTIONS)('%s answers once an object of the kind is known there, of %s', (name, yaml, field, enough) => {
    const [asked] = objectsFrom(yaml)
    const mesh = objectsFrom(around(name) + enough)
    const found = asked && ask(name, { object: asked, mesh, knowledge: 'partial' })
    expect(found?.map((each) => [each.field, typeof each.message])).toEqual([[field, 'string']])
  })

  test.each(QUESTIONS)('%s answers where all is known, of %s', (name, yaml, field) => {
    const [asked] = objectsFrom(yaml)
    const found = asked && ask(name, { object: asked, mesh: objectsFrom(around(name)) })
    expect(found?.map((each) => [each.field, typeof each.message])).toEqual([[field, 'string']])
  })
})
