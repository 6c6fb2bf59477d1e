import { expect, test } from 'vitest'

import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { createPolicySet, type PolicySet } from '../../src/policy/policy-set.ts'
import { checkDocuments } from '../../src/reports/check-documents.ts'
import { readManifests } from '../../src/sources/manifests.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'
import { webhookLists } from '../../src/webhook/webhook-configurations.ts'

// What must exist is told by a check of a mesh that is wholly known, on the Namespace; never at admission.

const ROOT = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } }
const STRICT = {
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: 'default', namespace: 'istio-system' },
  spec: { mtls: { mode: 'STRICT' } },
}

function policies(): PolicySet {
  const read = readPolicies(['policies/mtls/require-strict-mesh-mtls'], createPolicyCompiler(MESH_FUNCTIONS))
  const outcome = createPolicySet({ policies: read.policies, bindings: [], enforcement: 'enforce' })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  return outcome.set
}

function found(knowledge: 'whole' | 'partial', around: readonly (typeof STRICT)[]) {
  const { report } = checkDocuments({
    read: readManifests([{ file: 'root.yaml', text: JSON.stringify(ROOT), origin: 'named' }]),
    policies: policies(),
    context: buildSnapshot(around),
    contextKinds: new Map(),
    knowledge,
    namespace: 'default',
    defaults: 'off',
  })
  return report.findings.map(({ code, action, object }) => ({ code, action, on: `${object.kind} ${object.name}` }))
}

test.each([
  ['a whole mesh without it', 'whole', [], [{ code: 'MTLS-01', action: 'Deny', on: 'Namespace istio-system' }]],
  ['a whole mesh that has it', 'whole', [STRICT], []],
  ['some files of it, where it may be elsewhere', 'partial', [], []],
] as const)('a check of %s', (_name, knowledge, around, expected) => {
  expect(found(knowledge, around)).toEqual(expected)
})

test('the API server is not asked to send what only a check looks at', () => {
  const { validating } = webhookLists(policies(), {
    name: 'meshward',
    clientConfig: () => ({ url: 'https://meshward.example' }),
    excludedNamespaces: [],
    istioNamespace: 'istio-system',
  })
  expect(validating).toMatchObject([
    {
      rules: [
        {
          apiGroups: ['security.istio.io'],
          operations: ['CREATE', 'DELETE', 'UPDATE'],
          resources: ['peerauthentications'],
        },
      ],
    },
  ])
})
