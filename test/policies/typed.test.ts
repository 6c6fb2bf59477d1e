import { expect, test } from 'vitest'

import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'
import { readSchemaFiles } from '../../src/sources/schema-files.ts'
import { crdFile } from '../cluster/harness/crds.ts'

test('the shipped policies name no field that Istio and the Gateway API do not have', async () => {
  const files = await Promise.all([crdFile('istio'), crdFile('gateway-api')])
  const { schemas, errors } = readSchemaFiles(files, { read: () => new Uint8Array() })
  expect(errors).toEqual([])
  const { policies } = readPolicies(['policies'], createPolicyCompiler(MESH_FUNCTIONS, schemas))
  expect(policies.flatMap(({ issues, warnings }) => [...issues, ...warnings])).toEqual([])
  // What the policies are about is known, so that there was something to find; kinds with pods and of Kubernetes itself are looked at by a
  // test on a cluster.
  const known = new Set(schemas.map(({ group, resource }) => `${group}/${resource}`))
  const about = policies.flatMap(({ match }) =>
    match.resourceRules.flatMap(({ apiGroups, resources }) =>
      apiGroups.flatMap((group) => resources.map((resource) => ({ group, key: `${group}/${resource}` }))),
    ),
  )
  expect(
    about.filter(({ group, key }) => !['', 'apps', 'batch', 'argoproj.io'].includes(group) && !known.has(key)),
  ).toEqual([])
})
