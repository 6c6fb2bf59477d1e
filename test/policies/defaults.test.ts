import { existsSync, readFileSync } from 'node:fs'

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import type { Decision } from '../../src/engine/decision.ts'
import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import { asObject, isList, isObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { readsMesh } from '../../src/policy/policy.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'
import { policySetOf } from '../engine/policy-set-of.ts'
import { requestFor } from '../engine/request-for.ts'
import { bindingFrom } from '../policy/policy-from.ts'
import { readIstioCrds } from './istio-crds.ts'
import { destinationRules, gateways, ruleFor, virtualServices } from './mesh-objects.ts'

/** What Istio's own tests call valid; it stands beside the project, not in it. */
const CORPUS = '../shared/corpus/istiod-validation/expected.jsonl'

const { policies } = readPolicies(['policies'], createPolicyCompiler(MESH_FUNCTIONS))
const shipped = policySetOf(policies)
const fillingRetries = policySetOf(policies, [bindingFrom('policies: [RES-03]\nparams: { fillRetries: true }')])
const mesh = buildSnapshot([])
/** Rules about other objects, which no default can satisfy. */
const readingMesh = new Set(policies.filter(readsMesh).map(({ name }) => name))

function mutate(object: JsonObject, old: JsonObject | null = null, set: PolicySet = shipped): Completed {
  const decision = decide({ request: requestFor(object, old), policies: set, mesh, phase: 'mutate' })
  const completed = applyJsonPatch(object, decision.patch)
  if (completed === undefined) throw new Error(`the patch does not fit: ${JSON.stringify(decision.patch)}`)
  return { ...decision, completed }
}

type Completed = Decision & { readonly completed: JsonObject }

function findingsOf(object: JsonObject, set: PolicySet = shipped): readonly string[] {
  const { findings } = decide({ request: requestFor(object), policies: set, mesh, phase: 'validate' })
  return findings
    .filter(({ policy }) => !readingMesh.has(policy))
    .map(({ code, field, message }) => `${code} ${field}: ${message}`)
}

function specOf(object: JsonObject): JsonObject {
  return asObject(object.spec)
}

describe('what is stored of an object that only has what it must have', () => {
  const timeouts = { timeout: '15s' }
  test.each<[string, JsonObject, JsonObject]>([
    [
      'VirtualService',
      { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }] }] },
      { hosts: ['reviews'], http: [{ route: [{ destination: { host: 'reviews' } }], ...timeouts }] },
    ],
    [
      'DestinationRule',
      { host: 'reviews' },
      {
        host: 'reviews',
        trafficPolicy: {
          connectionPool: {
            tcp: { maxConnections: 10000 },
            http: { http1MaxPendingRequests: 10000, http2MaxRequests: 10000 },
          },
          outlierDetection: {
            consecutiveGatewayErrors: 5,
            consecutive5xxErrors: 0,
            interval: '10s',
            baseEjectionTime: '30s',
            maxEjectionPercent: 50,
          },
          retryBudget: { percent: 20, minRetryConcurrency: 3 },
        },
      },
    ],
    [
      'Gateway',
      {
        servers: [
          {
            port: { number: 443, name: 'https', protocol: 'HTTPS' },
            hosts: ['shop.example.com'],
            tls: { mode: 'SIMPLE', credentialName: 'shop' },
          },
        ],
      },
      {
        servers: [
          {
            port: { number: 443, name: 'https', protocol: 'HTTPS' },
            hosts: ['shop.example.com'],
            tls: { mode: 'SIMPLE', credentialName: 'shop', minProtocolVersion: 'TLSV1_2' },
          },
        ],
      },
    ],
  ])('%s', (kind, spec, stored) => {
    const object = { apiVersion: 'networking.istio.io/v1', kind, metadata: { name: 'x', namespace: 'shop' }, spec }
    const { completed } = mutate(object)
    expect(specOf(completed)).toEqual(stored)
    expect(findingsOf(completed)).toEqual([])
  })

  test('one default may rest on another: the timeout is filled, and then its share for each try', () => {
    const route = [{ destination: { host: 'reviews' } }]
    const match = [{ method: { exact: 'GET' } }]
    const { completed } = mutate({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'reviews', namespace: 'shop' },
      spec: { hosts: ['reviews'], http: [{ match, route, retries: { attempts: 2, retryOn: '5xx' } }] },
    })
    expect(specOf(completed).http).toEqual([
      { match, route, retries: { attempts: 2, retryOn: '5xx', perTryTimeout: '5s' }, timeout: '15s' },
    ])
  })

  test('outlier detection says what else it switches on', () => {
    const { filled } = mutate({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'reviews', namespace: 'shop' },
      spec: { host: 'reviews' },
    })
    expect(filled.flatMap(({ field, note }) => (note === undefined ? [] : [`${field}: ${note}`]))).toEqual([
      'spec.trafficPolicy.outlierDetection.consecutiveGatewayErrors: turns on locality routing',
    ])
  })
})

describe.each([
  ['VirtualServices', virtualServices],
  ['DestinationRules', destinationRules],
  ['Gateways', gateways],
])('any of the %s that only lack defaults', (_, objects) => {
  test.each([
    ['as shipped', shipped],
    ['with retries filled', fillingRetries],
  ])('is clean once they are filled, %s', (_, set) => {
    fc.assert(
      fc.property(objects, (object) => {
        expect(findingsOf(mutate(object, null, set).completed, set)).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  test('keeps all that was written, and gains nothing a second time', () => {
    fc.assert(
      fc.property(objects, (object) => {
        const { completed } = mutate(object)
        expect(lost(specOf(object), specOf(completed))).toEqual([])
        expect(mutate(completed).patch).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('is left alone on an update that changes something else', () => {
    fc.assert(
      fc.property(objects, (object) => {
        const labelled = { ...object, metadata: { ...asObject(object.metadata), labels: { team: 'shop' } } }
        expect(mutate(labelled, object).patch).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('becomes the same again when a tool sends its manifest once more', () => {
    fc.assert(
      fc.property(objects, (object) => {
        const { completed: stored } = mutate(object)
        const labelled = { ...object, metadata: { ...asObject(object.metadata), labels: { team: 'shop' } } }
        const { completed } = mutate(labelled, stored)
        expect(specOf(completed)).toEqual(specOf(stored))
        expect(findingsOf(completed)).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

describe('where a default would reach further than its author', () => {
  const reaches = fc.oneof(
    ruleFor('*.shop.svc.cluster.local').map((spec) => ({ namespace: 'shop', spec })),
    ruleFor('*').map((spec) => ({ namespace: 'shop', spec })),
    ruleFor('reviews.shop.svc.cluster.local').map((spec) => ({ namespace: 'istio-system', spec })),
  )

  test('neither limits nor outlier detection are filled for wildcard hosts and in the root namespace', () => {
    fc.assert(
      fc.property(reaches, ({ namespace, spec }) => {
        const { filled } = mutate({
          apiVersion: 'networking.istio.io/v1',
          kind: 'DestinationRule',
          metadata: { name: 'generated', namespace },
          spec,
        })
        expect(filled.filter(({ field }) => field !== 'spec.trafficPolicy.retryBudget')).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  test('neither timeouts nor retries are filled in delegates', () => {
    const delegates = virtualServices.map(({ spec, ...rest }) => ({
      ...rest,
      spec: { http: asObject(spec).http ?? [] },
    }))
    fc.assert(
      fc.property(delegates, (object) => {
        const { filled } = mutate(object, null, fillingRetries)
        expect(filled.filter(({ field }) => !field.endsWith('.perTryTimeout'))).toEqual([])
      }),
      { numRuns: 500 },
    )
  })
})

const crds = await readIstioCrds().catch((error: unknown) => `Istio's CRDs cannot be had: ${String(error)}`)

test("Istio's CRDs are at hand", ({ skip }) => {
  if (typeof crds !== 'string') return
  if (process.env['CI'] === 'true') throw new Error(crds)
  skip(crds)
})

describe.skipIf(typeof crds === 'string')("what Istio's CRDs make of filled objects", () => {
  const { violations, hasField } = typeof crds === 'string' ? { violations: () => [], hasField: () => false } : crds

  /** What the schema says against an object, and fields that it would drop, once the defaults are filled. */
  function objections(object: JsonObject, set: PolicySet): readonly string[] {
    const { completed, filled } = mutate(object, null, set)
    const dropped = filled.filter(({ path }) => !hasField(completed, path)).map(({ field }) => `${field} is unknown`)
    return [...violations(completed), ...dropped]
  }

  test.each([
    ['VirtualServices', virtualServices],
    ['DestinationRules', destinationRules],
    ['Gateways', gateways],
  ])('any of the generated %s is accepted', (_, objects) => {
    fc.assert(
      fc.property(objects, (object) => {
        expect(objections(object, fillingRetries)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  test.skipIf(!existsSync(CORPUS)).each([
    ['as shipped', shipped],
    ['with retries filled', fillingRetries],
  ])('every object that istiod accepts stays as good as it was, %s', (_, set) => {
    const rows = readFileSync(CORPUS, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line): Row => JSON.parse(line))
    const valid = rows.filter(({ expected }) => expected === 'valid')
    const changed = valid.filter(({ object }) => mutate(object, null, set).patch.length > 0)
    for (const { id, object } of changed) expect(objections(object, set), id).toEqual(violations(object))
    const kinds = new Set(changed.map(({ object }) => object.kind))
    expect({ valid: valid.length, kinds }).toEqual({
      valid: 347,
      kinds: new Set(['VirtualService', 'DestinationRule', 'Gateway']),
    })
  })

  test('the schemas do refuse what is wrong', () => {
    const object = {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'x', namespace: 'shop' },
      spec: { hosts: ['x'], http: [{ route: [{ destination: { host: 'x' } }], timeout: '15' }] },
    }
    expect(violations(object)).toEqual([expect.stringMatching(/^spec\.http\[0\]\.timeout: /)])
  })
})

interface Row {
  readonly id: string
  readonly expected: string
  readonly object: JsonObject
}

/** The places of a value that are not in another, with the same value. Null counts as absent. */
function lost(value: Json | undefined, other: Json | undefined, path = ''): readonly string[] {
  if (value === null || value === undefined) return []
  if (isList(value))
    return value.flatMap((item, index) => lost(item, isList(other) ? other[index] : undefined, `${path}[${index}]`))
  if (isObject(value))
    return Object.keys(value).flatMap((key) => lost(value[key], asObject(other)[key], `${path}.${key}`))
  return value === other ? [] : [path]
}
