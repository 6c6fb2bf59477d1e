import { describe, expect, test } from 'vitest'

import { effectiveMtls, namespaceMtls, peerAuthenticationsFor } from '../../src/mesh/peer-authentication.ts'
import { meshConfig, meshFrom, object } from './mesh-from.ts'

const strictMesh = object('PeerAuthentication', 'istio-system', 'default', '{ mtls: { mode: STRICT } }')

interface Case {
  readonly policies: string
  readonly labels?: Readonly<Record<string, string>>
  readonly namespace?: string
  readonly port?: number
  readonly mode: string
  readonly by: string | undefined
  readonly field: string
}

const cases: Readonly<Record<string, Case>> = {
  'nothing says anything: both are accepted': { policies: '', mode: 'PERMISSIVE', by: undefined, field: '' },
  'the mesh decides': { policies: strictMesh, mode: 'STRICT', by: 'default', field: 'spec.mtls.mode' },
  'a namespace without a mode inherits': {
    policies: strictMesh + object('PeerAuthentication', 'foo', 'ns', '{}'),
    mode: 'STRICT',
    by: 'default',
    field: 'spec.mtls.mode',
  },
  'a namespace with UNSET inherits': {
    policies: strictMesh + object('PeerAuthentication', 'foo', 'ns', '{ mtls: { mode: UNSET } }'),
    mode: 'STRICT',
    by: 'default',
    field: 'spec.mtls.mode',
  },
  'a port of the workload policy decides': {
    policies: `${strictMesh}${object('PeerAuthentication', 'foo', 'ns', '{ mtls: { mode: PERMISSIVE } }')}${object(
      'PeerAuthentication',
      'foo',
      'fin',
      '{ selector: { matchLabels: { app: fin } }, portLevelMtls: { 8080: { mode: DISABLE } } }',
    )}`,
    port: 8080,
    mode: 'DISABLE',
    by: 'fin',
    field: 'spec.portLevelMtls[8080].mode',
  },
  'another port inherits from the namespace': {
    policies: `${strictMesh}${object('PeerAuthentication', 'foo', 'ns', '{ mtls: { mode: PERMISSIVE } }')}${object(
      'PeerAuthentication',
      'foo',
      'fin',
      '{ selector: { matchLabels: { app: fin } }, portLevelMtls: { 8080: { mode: DISABLE } } }',
    )}`,
    port: 9090,
    mode: 'PERMISSIVE',
    by: 'ns',
    field: 'spec.mtls.mode',
  },
  'of two policies for a workload the older counts, and it alone': {
    policies:
      object(
        'PeerAuthentication',
        'foo',
        'old',
        '{ selector: { matchLabels: { app: fin } }, mtls: { mode: STRICT } }',
        1,
      ) +
      object(
        'PeerAuthentication',
        'foo',
        'new',
        '{ selector: { matchLabels: { tier: db } }, portLevelMtls: { 5432: { mode: DISABLE } } }',
        2,
      ),
    port: 5432,
    mode: 'STRICT',
    by: 'old',
    field: 'spec.mtls.mode',
  },
  'of two for a namespace the older counts': {
    policies:
      object('PeerAuthentication', 'foo', 'b', '{ mtls: { mode: STRICT } }', 1) +
      object('PeerAuthentication', 'foo', 'a', '{ mtls: { mode: DISABLE } }', 2),
    mode: 'STRICT',
    by: 'b',
    field: 'spec.mtls.mode',
  },
  'a selector in the root namespace selects nothing': {
    policies: object(
      'PeerAuthentication',
      'istio-system',
      'x',
      '{ selector: { matchLabels: { app: fin } }, mtls: { mode: STRICT } }',
    ),
    mode: 'PERMISSIVE',
    by: undefined,
    field: '',
  },
  'an empty selector is none': {
    policies: object('PeerAuthentication', 'foo', 'ns', '{ selector: { matchLabels: {} }, mtls: { mode: STRICT } }'),
    mode: 'STRICT',
    by: 'ns',
    field: 'spec.mtls.mode',
  },
  'a policy for other labels does nothing': {
    policies: object(
      'PeerAuthentication',
      'foo',
      'x',
      '{ selector: { matchLabels: { app: other } }, mtls: { mode: STRICT } }',
    ),
    mode: 'PERMISSIVE',
    by: undefined,
    field: '',
  },
  'a policy of another namespace does nothing': {
    policies: object('PeerAuthentication', 'bar', 'x', '{ mtls: { mode: STRICT } }'),
    mode: 'PERMISSIVE',
    by: undefined,
    field: '',
  },
  'the root namespace is where MeshConfig says': {
    policies:
      meshConfig('rootNamespace: mesh-root') +
      object('PeerAuthentication', 'mesh-root', 'x', '{ mtls: { mode: STRICT } }'),
    mode: 'STRICT',
    by: 'x',
    field: 'spec.mtls.mode',
  },
}

describe('the mode of a workload', () => {
  test.each(Object.entries(cases))('%s', (_name, { policies, labels, namespace, port, mode, by, field }) => {
    const server = { namespace: namespace ?? 'foo', labels: labels ?? { app: 'fin', tier: 'db' } }
    const effective = effectiveMtls(meshFrom(policies), server, port)
    expect({ ...effective, object: effective.object?.metadata.name }).toEqual({ mode, object: by, field })
  })
})

test('a namespace never answers with the mode of a workload', () => {
  const mesh = meshFrom(
    strictMesh +
      object('PeerAuthentication', 'foo', 'x', '{ selector: { matchLabels: { app: fin } }, mtls: { mode: DISABLE } }'),
  )
  expect(namespaceMtls(mesh, 'foo')).toBe('STRICT')
})

test('in the root namespace only the policy of the mesh holds', () => {
  const mesh = meshFrom(
    strictMesh +
      object(
        'PeerAuthentication',
        'istio-system',
        'x',
        '{ selector: { matchLabels: { app: a } }, mtls: { mode: DISABLE } }',
      ),
  )
  const found = peerAuthenticationsFor(mesh, { namespace: 'istio-system', labels: { app: 'a' } })
  expect([found.mesh?.metadata.name, found.namespace, found.workload]).toEqual(['default', undefined, undefined])
})
