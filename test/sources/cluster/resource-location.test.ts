import { describe, expect, test } from 'vitest'

import type { Json } from '../../../src/kube/json.ts'
import { KINDS } from '../../../src/mesh/kinds.ts'
import type { ApiClient } from '../../../src/sources/cluster/api-client.ts'
import { locateResource } from '../../../src/sources/cluster/resource-location.ts'

/** An API server with these documents; 404 elsewhere. */
const serving = (documents: Readonly<Record<string, readonly [number, Json]>>): ApiClient => ({
  send: async (_, path) => {
    const [status, body] = documents[path] ?? [404, {}]
    return { status, body }
  },
})
const GROUP = '/apis/networking.istio.io'
const versions = (preferred: string, ...others: readonly string[]): readonly [number, Json] => {
  const named = [preferred, ...others].map((version) => ({ groupVersion: `networking.istio.io/${version}` }))
  return [200, { preferredVersion: named[0] ?? null, versions: named }]
}
const sidecars: readonly [number, Json] = [200, { resources: [{ name: 'sidecars' }, { name: 'sidecars/status' }] }]

describe('the collection of a kind', () => {
  test.each([
    ['in the preferred version', { [GROUP]: versions('v1', 'v1beta1'), [`${GROUP}/v1`]: sidecars }, 'v1'],
    [
      'in another version where the preferred one has it not',
      { [GROUP]: versions('v1', 'v1beta1'), [`${GROUP}/v1`]: [200, { resources: [] }], [`${GROUP}/v1beta1`]: sidecars },
      'v1beta1',
    ],
    [
      'in another version where the preferred one is gone by now',
      { [GROUP]: versions('v1', 'v1beta1'), [`${GROUP}/v1beta1`]: sidecars },
      'v1beta1',
    ],
  ] as const)('is found %s', async (_, documents, version) => {
    expect(await locateResource(serving(documents), KINDS.sidecar, 'shop')).toEqual({
      kind: 'Sidecar',
      apiVersion: `networking.istio.io/${version}`,
      path: `${GROUP}/${version}/namespaces/shop/sidecars`,
    })
  })

  test('of the core group needs no question', async () => {
    const location = { kind: 'Pod', apiVersion: 'v1', path: '/api/v1/pods' }
    expect(await locateResource(serving({}), KINDS.pod)).toEqual(location)
  })

  test.each([
    ['the group', {}],
    ['the kind', { [GROUP]: versions('v1'), [`${GROUP}/v1`]: [200, { resources: [{ name: 'gateways' }] }] }],
  ] as const)('is not there where the API server does not serve %s', async (_, documents) => {
    expect(await locateResource(serving(documents), KINDS.sidecar)).toBeUndefined()
  })

  test.each([
    ['503 for the group', { [GROUP]: [503, {}] }, 'answered 503 when asked for the versions of networking.istio.io'],
    ['a page of a proxy for it', { [GROUP]: [200, null] }, 'answered something else when asked for the versions of'],
    [
      '403 for the version',
      { [GROUP]: versions('v1'), [`${GROUP}/v1`]: [403, {}] },
      'answered 403 when asked for the resources of networking.istio.io/v1',
    ],
    [
      'a page of a proxy for that',
      { [GROUP]: versions('v1'), [`${GROUP}/v1`]: [200, '<html>'] },
      'answered something else when asked for the resources of',
    ],
  ] as const)('is unknown where the API server answers %s', async (_, documents, message) => {
    await expect(locateResource(serving(documents), KINDS.sidecar)).rejects.toThrow(message)
  })
})
