import { describe, expect, test } from 'vitest'

import { readKindSchemas } from '../../src/kube/kind-schema.ts'

describe('the schemas of a document', () => {
  test('of a CRD are those of the versions that are served', () => {
    const schema = { type: 'object' }
    const version = (name: string, served: boolean) => ({ name, served, schema: { openAPIV3Schema: schema } })
    const spec = {
      group: 'example.org',
      names: { kind: 'Widget', plural: 'widgets' },
      versions: [version('v1', true), version('v1alpha1', false), { name: 'v2', served: true }],
    }
    const expected = [
      { group: 'example.org', version: 'v1', kind: 'Widget', resource: 'widgets', schema, definitions: {} },
    ]
    const crd = { kind: 'CustomResourceDefinition', spec }
    expect(readKindSchemas(crd)).toEqual(expected)
    expect(readKindSchemas({ kind: 'List', items: [{ kind: 'Pod' }, crd] })).toEqual(expected)
  })

  test('of an API server are those of the kinds that can be created', () => {
    const kind = { group: 'apps', version: 'v1', kind: 'Deployment' }
    const operation = { 'x-kubernetes-group-version-kind': kind }
    const schemas = {
      'io.k8s.api.apps.v1.Deployment': { type: 'object', 'x-kubernetes-group-version-kind': [kind] },
      'io.k8s.api.apps.v1.DeploymentSpec': { type: 'object' },
    }
    const document = {
      openapi: '3.0.0',
      paths: {
        '/apis/apps/v1/': { get: {} },
        '/apis/apps/v1/deployments': { get: operation },
        '/apis/apps/v1/namespaces/{namespace}/deployments': { get: operation, post: operation },
        '/apis/apps/v1/namespaces/{namespace}/deployments/{name}': { get: operation },
        '/apis/apps/v1/namespaces/{namespace}/nothings': { post: {} },
      },
      components: { schemas },
    }
    expect(readKindSchemas(document)).toEqual([
      {
        ...kind,
        resource: 'deployments',
        schema: schemas['io.k8s.api.apps.v1.Deployment'],
        definitions: schemas,
      },
    ])
  })

  test.each([
    [null],
    ['text'],
    [[]],
    [{ kind: 'Pod' }],
    [{ kind: 'CustomResourceDefinition' }],
    [{ openapi: '3.0.0' }],
  ])('of %j there are none', (document) => {
    expect(readKindSchemas(document)).toEqual([])
  })
})
