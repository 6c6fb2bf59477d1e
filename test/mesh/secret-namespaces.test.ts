import { expect, test } from 'vitest'

import { discoveredMesh } from '../../src/mesh/discovery.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import type { MeshContext } from '../../src/policy/mesh-functions/mesh-function.ts'

// In a cluster, Secrets are looked at in some namespaces only: elsewhere, that one is not seen does not mean that it is not there.

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'gw', namespace: 'edge', labels: { istio: 'ingress' } },
  spec: { containers: [{ name: 'istio-proxy', args: ['proxy', 'router'] }] },
}
const GATEWAY = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'front', namespace: 'shop' },
  spec: {
    selector: { istio: 'ingress' },
    servers: [
      {
        port: { number: 443, name: 'https', protocol: 'HTTPS' },
        hosts: ['shop.example.com'],
        tls: { mode: 'SIMPLE', credentialName: 'cert' },
      },
    ],
  },
}

function outcomes(secretNamespaces: readonly string[] | undefined) {
  const before = buildSnapshot([POD], secretNamespaces === undefined ? {} : { secretNamespaces })
  const subject = { apiVersion: GATEWAY.apiVersion, kind: 'Gateway', namespace: 'shop', name: 'front' }
  const context: MeshContext = { mesh: before.with(GATEWAY), before, knowledge: 'whole', operation: 'CREATE', subject }
  const judge = MESH_FUNCTIONS.find(({ name }) => name === 'mesh.gateways.unusableCredentials')
  return judge?.call(context, [GATEWAY, {}])
}

test.each([
  ['everywhere', undefined, [{ atMost: 'Warn' }]],
  ['where the gateway runs', ['edge'], [{ atMost: 'Warn' }]],
  ['elsewhere', ['shop'], [{ field: 'spec.servers[0].tls.credentialName', outcome: 'skip' }]],
  ['nowhere', [], [{ outcome: 'skip' }]],
] as const)('a Secret that is not seen, with Secrets looked at %s', (_name, namespaces, expected) => {
  expect(outcomes(namespaces)).toMatchObject(expected)
})

test('what may be looked at survives changes and discovery selectors', () => {
  const mesh = buildSnapshot([], { secretNamespaces: ['edge'] })
  const changed = mesh.with(POD).without({ kind: KINDS.pod, namespace: 'edge', name: 'gw' })
  for (const each of [mesh, changed, discoveredMesh(changed), changed.recording()]) {
    expect([...(each.secretNamespaces ?? [])]).toEqual(['edge'])
  }
})
