import { describe, expect, test } from 'vitest'

import { crashingHosts, serversOf, sniHosts } from '../../src/mesh/gateway-servers.ts'
import { gateway, object, server } from './gateway-mesh.ts'

describe('the hosts of a server', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['without a namespace are for all', ['a.com'], ['a.com']],
    ['with a star are for all', ['*/a.com'], ['a.com']],
    ['with a dot are for the namespace of the Gateway', ['./a.com'], ['shop/a.com']],
    ['with a namespace are for that', ['pay/*.a.com'], ['pay/*.a.com']],
    ['collapse where all names of all namespaces are listed', ['pay/a.com', '*/*', 'b.com'], ['*']],
    ['are compared without case', ['./A.Com'], ['shop/a.com']],
  ])('%s', (_, hosts, expected) => {
    const [own] = serversOf(gateway('shop/g', [server('80 HTTP', hosts)]))
    expect(own?.hosts).toEqual(expected)
  })

  test('are asked for in the TLS handshake without namespaces, each once', () => {
    const [own] = serversOf(gateway('shop/g', [server('443 HTTPS', ['./b.com', 'pay/b.com', 'a.com'], { tls: {} })]))
    expect(own === undefined ? undefined : sniHosts(own)).toEqual(['a.com', 'b.com'])
  })
})

describe('hosts that crash the control plane', () => {
  test.each<[string, readonly string[], readonly number[]]>([
    ['a dot behind all of all', ['*/*', './a.com'], [1]],
    ['a star behind all of all, wherever', ['x.com', '*/*', 'y.com', '*/a.com'], [3]],
    ['not before it', ['./a.com', '*/b.com', '*/*'], []],
    ['not a namespace by name behind it', ['*/*', 'pay/a.com'], []],
    ['not a bare name behind it', ['*/*', 'a.com'], []],
    ['not all of all once more', ['*/*', '*/*'], []],
    ['not a bare star', ['*', './a.com'], []],
  ])('%s', (_, hosts, expected) => {
    expect(crashingHosts(hosts)).toEqual(expected)
  })
})

test('TLS without a mode, or with one that nobody knows, is passed on', () => {
  const tls = [{}, { mode: 'SIMPLE' }, { mode: 'constructor' }, null]
  const found = serversOf(
    gateway(
      'a/g',
      tls.map((each) => server('443 HTTPS', ['a.com'], { tls: each })),
    ),
  )
  expect(found.map(({ mode }) => mode)).toEqual(['PASSTHROUGH', 'SIMPLE', 'PASSTHROUGH', undefined])
})

test('a server without a port is none, and keeps its place in the list', () => {
  const found = serversOf(
    object('Gateway', 'a/g', { spec: { servers: [{ hosts: ['a.com'] }, null, server('80 HTTP', [])] } }),
  )
  expect(found.map(({ index }) => index)).toEqual([2])
})
