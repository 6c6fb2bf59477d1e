import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { serverCredentials } from '../../src/mesh/gateway-credentials.ts'
import { serversOf } from '../../src/mesh/gateway-servers.ts'
import { serverTls, type ServerTls } from '../../src/mesh/gateway-tls.ts'
import { find, gateway, gatewayInstallation, meshOf, object, server } from './gateway-mesh.ts'

const PAIR = { 'tls.crt': 'eA==', 'tls.key': 'eA==' }
const secret = (name: string, data: JsonObject, rest: JsonObject = { type: 'Opaque' }): KubeObject =>
  object('Secret', name, { data, ...rest })

/** The TLS of a server at a pod in `istio-system`, the Gateway living in `shop`. */
function tlsOf(tls: JsonObject, ...objects: readonly KubeObject[]): ServerTls | undefined {
  const [own] = serversOf(gateway('shop/g', [server('443 HTTPS', ['a.com'], { tls })]))
  return own === undefined ? undefined : serverTls(meshOf(objects), 'istio-system', own)
}

describe('the certificate of a server', () => {
  test.each<[string, string, readonly KubeObject[], string | undefined]>([
    ['is handed out from the namespace of the pod', 'web', [secret('istio-system/web', PAIR)], undefined],
    ['is not looked for beside the Gateway', 'web', [secret('shop/web', PAIR)], 'not-found'],
    ['is not handed out from elsewhere', 'kubernetes://shop/web', [secret('shop/web', PAIR)], 'other-namespace'],
    [
      'may name the namespace of the pod',
      'kubernetes://istio-system/web',
      [secret('istio-system/web', PAIR)],
      undefined,
    ],
    [
      'may have the keys of a generic Secret',
      'web',
      [secret('istio-system/web', { cert: 'eA==', key: 'eA==' })],
      undefined,
    ],
    [
      'may be written as text',
      'web',
      [object('Secret', 'istio-system/web', { type: 'Opaque', stringData: PAIR })],
      undefined,
    ],
    [
      'needs both keys of one form',
      'web',
      [secret('istio-system/web', { cert: 'eA==', 'tls.key': 'eA==' })],
      'lacks-keys',
    ],
    ['needs values', 'web', [secret('istio-system/web', { 'tls.crt': '', 'tls.key': '' })], 'empty-keys'],
    [
      'of a Secret without data has none',
      'web',
      [object('Secret', 'istio-system/web', { type: 'Opaque' })],
      'lacks-keys',
    ],
    ['is believed of a Secret known by its metadata only', 'web', [object('Secret', 'istio-system/web')], undefined],
  ])('%s', (_, credentialName, objects, problem) => {
    const tls = tlsOf({ mode: 'SIMPLE', credentialName }, ...objects)
    expect(tls?.certificates).toMatchObject([{ kind: 'secret', field: 'spec.servers[0].tls.credentialName' }])
    expect(tls?.certificates.map((source) => (source.kind === 'secret' ? source.problem : source.kind))).toEqual([
      problem,
    ])
  })

  test.each<[string, JsonObject, string]>([
    ['is a file', { mode: 'SIMPLE', serverCertificate: '/c', privateKey: '/k' }, 'file'],
    ['is the pod’s own where the mesh is asked for', { mode: 'ISTIO_MUTUAL', credentialName: 'web' }, 'workload'],
    ['is the pod’s own by a name for it', { mode: 'SIMPLE', credentialName: 'builtin://' }, 'workload'],
    ['comes from a service of the user’s', { mode: 'SIMPLE', credentialName: 'sds://x' }, 'other'],
  ])('%s', (_, tls, kind) => {
    expect(tlsOf(tls)?.certificates).toEqual([{ kind }])
  })

  test('is none where TLS is passed on, whatever is written', () => {
    expect(tlsOf({ credentialName: 'web', minProtocolVersion: 'TLSV1_3' })).toEqual({
      mode: 'PASSTHROUGH',
      minVersion: undefined,
      maxVersion: undefined,
      certificates: [],
      ca: undefined,
    })
  })
})

describe('the CA for client certificates', () => {
  const CA = { 'ca.crt': 'eA==' }

  test.each<[string, JsonObject, readonly KubeObject[], string, string | undefined]>([
    ['is in the Secret itself', {}, [secret('istio-system/web', { ...PAIR, ...CA })], 'web-cacert', undefined],
    ['is in a Secret of its own', {}, [secret('istio-system/web-cacert', { cacert: 'eA==' })], 'web-cacert', undefined],
    [
      'hides that in the Secret itself',
      {},
      [secret('istio-system/web', CA), secret('istio-system/web-cacert', PAIR)],
      'web-cacert',
      'lacks-keys',
    ],
    ['is missing', {}, [secret('istio-system/web', PAIR)], 'web-cacert', 'lacks-keys'],
    ['has a name of its own', { caCertCredentialName: 'ca' }, [secret('istio-system/ca', CA)], 'ca', undefined],
  ])('%s', (_, rest, objects, name, problem) => {
    for (const mode of ['MUTUAL', 'OPTIONAL_MUTUAL']) {
      expect(tlsOf({ mode, credentialName: 'web', ...rest }, ...objects)?.ca).toMatchObject({ name, problem })
    }
  })

  test('is that of the first of two certificates', () => {
    expect(tlsOf({ mode: 'MUTUAL', credentialNames: ['rsa', 'ecdsa'] })).toMatchObject({
      certificates: [{ name: 'rsa' }, { name: 'ecdsa' }],
      ca: { name: 'rsa-cacert', field: 'spec.servers[0].tls.credentialNames[0]' },
    })
  })

  test('is not asked for by SIMPLE', () => {
    expect(tlsOf({ mode: 'SIMPLE', credentialName: 'web' })?.ca).toBeUndefined()
  })
})

describe('the least version of TLS', () => {
  const config = (mesh: string): KubeObject => object('ConfigMap', 'istio-system/istio', { data: { mesh } })

  test.each<[string, string, JsonObject, string | undefined]>([
    ['is Envoy’s own', '', { mode: 'SIMPLE' }, undefined],
    ['is the mesh’s', 'tlsDefaults: { minProtocolVersion: TLSV1_3 }', { mode: 'OPTIONAL_MUTUAL' }, 'TLSV1_3'],
    [
      'is the server’s before the mesh’s',
      'tlsDefaults: { minProtocolVersion: TLSV1_3 }',
      { mode: 'SIMPLE', minProtocolVersion: 'TLSV1_1' },
      'TLSV1_1',
    ],
    [
      'is not for the mesh’s own TLS',
      'tlsDefaults: { minProtocolVersion: TLSV1_3 }',
      { mode: 'ISTIO_MUTUAL', minProtocolVersion: 'TLSV1_3' },
      undefined,
    ],
    ['is automatic', '', { mode: 'MUTUAL', minProtocolVersion: 'TLS_AUTO' }, undefined],
  ])('%s', (_, mesh, tls, expected) => {
    expect(tlsOf(tls, config(mesh))?.minVersion).toBe(expected)
  })
})

test('the Secrets of a Gateway are asked for once for each namespace with pods of it', () => {
  const servers = [server('443 HTTPS', ['a.com'], { tls: { mode: 'MUTUAL', credentialName: 'web' } })]
  const mesh = meshOf(
    gatewayInstallation({ replicas: 2 }),
    gatewayInstallation({ namespace: 'edge' }),
    gateway('shop/g', servers),
    secret('edge/web', { ...PAIR, 'ca.crt': 'eA==' }),
  )
  const found = serverCredentials(mesh, find(mesh, 'Gateway', 'shop/g'))
  expect(found.map(({ secret: { namespace, name, problem } }) => [namespace, name, problem])).toEqual([
    ['edge', 'web', undefined],
    ['edge', 'web-cacert', undefined],
    ['istio-system', 'web', 'not-found'],
    ['istio-system', 'web-cacert', 'not-found'],
  ])
})

test('nobody can say where the Secrets of a Gateway without pods have to be', () => {
  const mesh = meshOf(
    gateway('shop/g', [server('443 HTTPS', ['a.com'], { tls: { mode: 'SIMPLE', credentialName: 'web' } })]),
  )
  expect(serverCredentials(mesh, find(mesh, 'Gateway', 'shop/g'))).toEqual([])
})
