import { describe, expect, test } from 'vitest'

import { decide } from '../../../src/engine/decide.ts'
import { asList, type JsonObject } from '../../../src/kube/json.ts'
import { buildSnapshot } from '../../../src/mesh/snapshot.ts'
import { MOST_FINDINGS, type MeshFinding, type SkippedPlace } from '../../../src/policy/mesh-functions/finding.ts'
import { findingsFunction } from '../../../src/policy/mesh-functions/findings-function.ts'
import { policySetOf } from '../../engine/policy-set-of.ts'
import { requestFor } from '../../engine/request-for.ts'
import { object, objectsFrom, service } from '../../mesh/mesh-from.ts'
import { shippedPolicies } from '../../policies/shipped-policies.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const warnings = (count: number): readonly MeshFinding[] =>
  numbers(count).map((index) => ({ field: `w${index}`, message: 'may come', atMost: 'Warn' }))
const skips = (count: number): readonly SkippedPlace[] =>
  numbers(count).map((index) => ({ field: `s${index}`, outcome: 'skip' }))
const refusal: MeshFinding = { field: 'bad', message: 'wrong' }

/** What a function tells that finds these. */
function told(found: readonly (MeshFinding | SkippedPlace)[]): readonly unknown[] {
  const { call } = findingsFunction({ name: 'test.all', reads: [], summary: 'All.', find: () => found })
  const mesh = buildSnapshot([])
  const subject = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web' }
  const [asked] = objectsFrom(service('shop', 'web'))
  if (asked === undefined) throw new Error('no object')
  return asList(call({ mesh, before: mesh, knowledge: 'whole', operation: 'CREATE', subject }, [asked, {}]) ?? [])
}

describe('of very many findings', () => {
  test('what may refuse is told, however many warnings are found before it', () => {
    expect(told([...warnings(MOST_FINDINGS + 2), refusal])).toEqual([
      refusal,
      ...warnings(MOST_FINDINGS - 2),
      { field: 'w18', message: 'may come (and 3 more like this)', atMost: 'Warn', alsoAt: ['w19', 'w20', 'w21'] },
    ])
  })

  test('places that cannot be judged take the room of none', () => {
    expect(told([...skips(MOST_FINDINGS + 1), refusal])).toEqual([refusal, ...skips(MOST_FINDINGS + 1)])
  })

  test('as many as may be written stay as they were found', () => {
    const found = [...warnings(MOST_FINDINGS - 2), ...skips(1), refusal]
    expect(told(found)).toEqual(found)
  })
})

describe('a rule that found more in the old object than is written', () => {
  const policies = policySetOf(shippedPolicies().filter(({ code }) => code === 'VS-04'))
  const routes = (count: number, more = ''): JsonObject => {
    const list = numbers(count).map(
      (index) => `{ match: [{ uri: { exact: "/${index}" } }], route: [{ destination: { host: cart } }] }`,
    )
    const spec = `{ hosts: [shop.example], http: [${list.join(', ')}] ${more} }`
    const [found] = objectsFrom(object('VirtualService', 'shop', 'v', spec))
    if (found === undefined) throw new Error('no object')
    return found
  }
  const judged = (old: JsonObject, changed: JsonObject) => {
    const mesh = buildSnapshot(objectsFrom(service('shop', 'cart')))
    const request = requestFor(changed, old, { operation: 'UPDATE' })
    const { allowed, findings } = decide({ request, policies, mesh, knowledge: 'whole', phase: 'validate' })
    return { allowed, denials: findings.filter(({ action }) => action === 'Deny').map(({ message }) => message) }
  }

  test('still refuses one that is new', () => {
    expect(judged(routes(MOST_FINDINGS + 3), routes(MOST_FINDINGS + 4))).toEqual({
      allowed: false,
      denials: [expect.stringMatching(/ \(and 4 more like this\)$/)],
    })
  })

  test('lets pass what changes nothing about them, and what makes them fewer', () => {
    const passed = { allowed: true, denials: [] }
    expect(judged(routes(MOST_FINDINGS + 3), routes(MOST_FINDINGS + 3, ', exportTo: ["."]'))).toEqual(passed)
    expect(judged(routes(MOST_FINDINGS + 3), routes(MOST_FINDINGS + 2))).toEqual(passed)
  })
})
