import { expect, test } from 'vitest'

import { readKindSchemas } from '../../src/kube/kind-schema.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'

const DOCUMENTS = [
  'api/v1',
  'apis/apps/v1',
  'apis/batch/v1',
  'apis/networking.istio.io/v1',
  'apis/security.istio.io/v1',
  'apis/telemetry.istio.io/v1',
  'apis/gateway.networking.k8s.io/v1',
]

describeCluster('what the API server says of its kinds', (cluster) => {
  test('has every field that the shipped policies name', async () => {
    const schemas = []
    for (const path of DOCUMENTS) {
      const text = await kubectlOutput(cluster.kubectl, ['get', '--raw', `/openapi/v3/${path}`])
      const [document] = parseYamlDocuments(text)
      if (document?.ok !== true) throw new Error(`/openapi/v3/${path} cannot be read: ${document?.error.message}`)
      schemas.push(...readKindSchemas(document.document.value))
    }
    const kinds = schemas.map(({ group, version, resource, kind }) => `${group}/${version}/${resource} ${kind}`)
    expect(kinds).toEqual(
      expect.arrayContaining([
        '/v1/pods Pod',
        '/v1/namespaces Namespace',
        'apps/v1/deployments Deployment',
        'networking.istio.io/v1/virtualservices VirtualService',
        'security.istio.io/v1/peerauthentications PeerAuthentication',
      ]),
    )
    const { policies } = readPolicies(['policies'], createPolicyCompiler(MESH_FUNCTIONS, schemas))
    expect(policies.flatMap(({ issues, warnings }) => [...issues, ...warnings])).toEqual([])
  })
})
