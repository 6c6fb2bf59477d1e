import { describe, expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import { definedKinds, repeatedObjects, toJudgedObject } from '../../src/reports/judged-object.ts'
import { readManifests } from '../../src/sources/manifests.ts'

function judged(text: string, crds = '') {
  const kinds = definedKinds(
    readManifests([{ file: 'crds.yaml', text: crds, origin: 'named' }]).manifests.map(({ object }) => object),
  )
  return readManifests([{ file: 'a.yaml', text, origin: 'named' }]).manifests.map((manifest) =>
    toJudgedObject(manifest, kinds, 'mine'),
  )
}

const crd = (names: JsonObject, scope: string): string =>
  JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    spec: { group: 'a.io', scope, names },
  })

describe('the request for a manifest', () => {
  test('is a CREATE by nobody, of what the API server would get', () => {
    const [one] = judged('apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}\n')
    expect(one?.request).toStrictEqual({
      uid: 'a.yaml#0',
      operation: 'CREATE',
      kind: { group: 'security.istio.io', version: 'v1', kind: 'AuthorizationPolicy' },
      resource: { group: 'security.istio.io', version: 'v1', resource: 'authorizationpolicies' },
      subResource: '',
      name: 'a',
      namespace: 'mine',
      object: {
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'a', namespace: 'mine' },
        spec: {},
      },
      oldObject: null,
      userInfo: { username: '', groups: [] },
      dryRun: true,
    })
  })

  test.each<
    readonly [
      name: string,
      text: string,
      crds: string,
      expected: readonly [resource: string, namespace: string, name: string],
    ]
  >([
    ['a namespace of its own', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}', '', ['pods', 'b', 'a']],
    ['a Namespace is in itself', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}', '', ['namespaces', 'a', 'a']],
    [
      'a kind for the whole cluster',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}',
      '',
      ['clusterroles', '', 'a'],
    ],
    [
      'an unknown kind by its plural',
      'apiVersion: a.io/v1\nkind: Policy\nmetadata: {name: a}',
      '',
      ['policies', 'mine', 'a'],
    ],
    [
      'a kind that is defined beside it',
      'apiVersion: a.io/v1\nkind: Ox\nmetadata: {name: a}',
      crd({ kind: 'Ox', plural: 'oxen' }, 'Namespaced'),
      ['oxen', 'mine', 'a'],
    ],
    [
      'a kind that is defined for the whole cluster',
      'apiVersion: a.io/v1\nkind: Ox\nmetadata: {name: a}',
      crd({ kind: 'Ox', plural: 'oxen' }, 'Cluster'),
      ['oxen', '', 'a'],
    ],
    [
      'a definition that is none',
      'apiVersion: a.io/v1\nkind: Ox\nmetadata: {name: a}',
      crd({ kind: 'Ox' }, 'Cluster'),
      ['oxs', 'mine', 'a'],
    ],
    [
      'a definition of another group',
      'apiVersion: b.io/v1\nkind: Ox\nmetadata: {name: a}',
      crd({ kind: 'Ox', plural: 'oxen' }, 'Cluster'),
      ['oxs', 'mine', 'a'],
    ],
    [
      'a name that is still to be made',
      'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}',
      '',
      ['pods', 'mine', ''],
    ],
    ['no metadata', 'apiVersion: v1\nkind: Pod', '', ['pods', 'mine', '']],
  ])('%s', (_, text, crds, expected) => {
    const [one] = judged(text, crds)
    expect([one?.request.resource.resource, one?.request.namespace, one?.request.name]).toStrictEqual(expected)
  })
})

describe('objects given twice', () => {
  const pod = (name: string, more = ''): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}${more}}\n`
  test.each<readonly [name: string, documents: readonly string[], messages: readonly string[]]>([
    [
      'the same name in the same namespace',
      [pod('a'), pod('a', ', namespace: mine')],
      ['Pod "a" in namespace "mine" is also in a.yaml:1; keep one of them'],
    ],
    [
      'three times are two repetitions',
      [pod('a'), pod('a'), pod('a')],
      [
        'Pod "a" in namespace "mine" is also in a.yaml:1; keep one of them',
        'Pod "a" in namespace "mine" is also in a.yaml:1; keep one of them',
      ],
    ],
    [
      'another version of one kind',
      ['apiVersion: a.io/v1\nkind: A\nmetadata: {name: a}\n', 'apiVersion: a.io/v2\nkind: A\nmetadata: {name: a}\n'],
      ['A "a" in namespace "mine" is also in a.yaml:1; keep one of them'],
    ],
    [
      'a kind for the whole cluster',
      [
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n',
        'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: x}\n',
      ],
      ['Namespace "a" is also in a.yaml:1; keep one of them'],
    ],
    ['another namespace', [pod('a'), pod('a', ', namespace: other')], []],
    [
      'another group',
      [
        'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\n',
        'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\n',
      ],
      [],
    ],
    [
      'names that are still to be made',
      [
        'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n',
        'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n',
      ],
      [],
    ],
  ])('%s', (_, documents, messages) => {
    expect(repeatedObjects(judged(documents.join('---\n'))).map(({ message }) => message)).toStrictEqual(messages)
  })
})
