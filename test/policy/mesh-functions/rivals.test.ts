import { expect, test } from 'vitest'

import { object, objectsFrom } from '../../mesh/mesh-from.ts'
import { ask } from './ask.ts'

// GW-02 and GW-19 look at the same Gateways: of one host they say one thing.

const servers = (...hosts: readonly string[]): string =>
  `{ selector: { istio: ingress }, servers: [${[80, 8080]
    .map((port) => `{ port: { number: ${port}, name: http-${port}, protocol: HTTP }, hosts: [${hosts.join()}] }`)
    .join()}] }`
const front = (...hosts: readonly string[]): string => object('Gateway', 'shop', 'front', servers(...hosts), 2)
const of = (namespace: string, minute: number, ...hosts: readonly string[]): string =>
  object('Gateway', namespace, 'other', servers(...hosts), minute)
const [first, second] = ['spec.servers[0].hosts', 'spec.servers[1].hosts']

test.each<
  [
    what: string,
    own: string,
    other: string,
    told: { readonly rivals: readonly string[]; readonly taken: readonly string[] },
  ]
>([
  ['that another namespace had first', front('a.com'), of('web', 1, 'a.com'), { rivals: [], taken: [first] }],
  ['of one namespace', front('a.com'), of('shop', 1, 'a.com'), { rivals: [first, second], taken: [] }],
  ['that another namespace has since', front('a.com'), of('web', 3, 'a.com'), { rivals: [first, second], taken: [] }],
  ['that is all hosts', front('"*"'), of('web', 1, '"*"'), { rivals: [first, second], taken: [] }],
  ['written twice', front('a.com', './a.com'), of('web', 1, 'a.com'), { rivals: [], taken: [first] }],
  ['beside another', front('a.com', 'b.com'), of('web', 1, 'a.com', 'b.com'), { rivals: [], taken: [first, first] }],
  ['that nobody else has', front('a.com'), of('web', 1, 'b.com'), { rivals: [], taken: [] }],
])('a host %s', (_what, own, other, told) => {
  const [asked] = objectsFrom(own)
  const fields = (name: string) =>
    asked && ask(`gateways.${name}`, { object: asked, mesh: objectsFrom(other) }).map(({ field }) => field)
  expect({ rivals: fields('rivalServers'), taken: fields('takenHosts') }).toEqual(told)
})
