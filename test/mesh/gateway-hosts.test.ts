import { array, assert, constantFrom, property, tuple } from 'fast-check'
import { expect, test } from 'vitest'

import { namespacesAccepting, servedDomains } from '../../src/mesh/gateway-hosts.ts'
import { serversOf } from '../../src/mesh/gateway-servers.ts'
import { isCoveredBy } from '../../src/mesh/hosts.ts'
import { gateway, server } from './gateway-mesh.ts'

const host = constantFrom('*', '*.com', '*.a.com', 'a.com', 'x.a.com', '*.x.a.com', 'y.x.a.com', 'b.org', '*.org')
const entry = tuple(constantFrom('', '*/', './', 'pay/'), host).map((parts) => parts.join(''))

function serverWith(hosts: readonly string[]) {
  const [own] = serversOf(gateway('shop/g', [server('80 HTTP', hosts)]))
  if (own === undefined) throw new Error('no server')
  return own
}

test('a server serves the more specific of two names that overlap, as all pairs compared say', () => {
  assert(
    property(
      array(entry, { maxLength: 6 }),
      array(host, { maxLength: 4 }),
      constantFrom('shop', 'pay', 'ops'),
      (hosts, wanted, namespace) => {
        const own = serverWith(hosts)
        const naive = new Set<string>()
        for (const accepted of own.hosts) {
          const [first = '', second] = accepted.split('/')
          if (second !== undefined && first !== namespace) continue
          const name = second ?? first
          for (const each of wanted) {
            if (isCoveredBy(name, each)) naive.add(name)
            else if (isCoveredBy(each, name)) naive.add(each)
          }
        }
        expect(new Set(servedDomains(own, namespace, wanted).map(({ domain }) => domain))).toEqual(naive)
      },
    ),
  )
})

test('a name is accepted from the namespaces of all entries that it overlaps', () => {
  const own = serverWith(['./a.com', 'pay/*.com', 'b.org'])
  expect([
    namespacesAccepting(own, 'a.com'),
    namespacesAccepting(own, '*.org'),
    namespacesAccepting(own, 'c.net'),
  ]).toEqual([['shop', 'pay'], ['*'], []])
})
