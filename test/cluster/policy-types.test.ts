import { expect, test } from 'vitest'

import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { readClusterSchemas } from '../../src/sources/cluster/cluster-schemas.ts'
import { connectCluster } from '../../src/sources/cluster/connect-cluster.ts'
import { readPolicies, readPolicyGroups } from '../../src/sources/policy-files.ts'
import { describeCluster } from './harness/describe-cluster.ts'

describeCluster('what the API server says of its kinds', (cluster) => {
  test('has every field that the shipped policies name', async () => {
    const connected = await connectCluster({ kubeconfig: cluster.kubeconfig })
    if (!connected.ok) throw new Error(connected.reason)
    const schemas = await readClusterSchemas(connected.connection.api, readPolicyGroups(['policies']))
    expect(schemas.map(({ group, version, resource, kind }) => `${group}/${version}/${resource} ${kind}`)).toEqual(
      expect.arrayContaining([
        '/v1/pods Pod',
        '/v1/namespaces Namespace',
        'apps/v1/deployments Deployment',
        'networking.istio.io/v1/virtualservices VirtualService',
        'networking.istio.io/v1beta1/virtualservices VirtualService',
        'security.istio.io/v1/peerauthentications PeerAuthentication',
      ]),
    )
    const { policies } = readPolicies(['policies'], createPolicyCompiler(MESH_FUNCTIONS, schemas))
    expect(policies.flatMap(({ issues, warnings }) => [...issues, ...warnings])).toEqual([])
  })
})
