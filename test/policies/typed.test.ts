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
  // What the policies are about is known, so that there was something to find; those of injection and services are about Pods,
  // Namespaces and Services, which a test on a cluster looks at.
  const known = new Set(schemas.map(({ group, resource }) => `${group}/${resource}`))
  const unknown = policies.filter(({ match }) =>
    match.resourceRules.every(({ apiGroups, resources }) =>
      apiGroups.every((group) => resources.every((resource) => !known.has(`${group}/${resource}`))),
    ),
  )
  expect(unknown.filter(({ code }) => !/^(INJ|SVC)-/.test(code))).toEqual([])
})
