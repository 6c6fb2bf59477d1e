import { describe, expect, test } from 'vitest'

import { FILLED_ANNOTATION } from '../../src/engine/changed.ts'
import { decide } from '../../src/engine/decide.ts'
import type { Decision } from '../../src/engine/decision.ts'
import { applyJsonPatch } from '../../src/kube/apply-patch.ts'
import type { Json, JsonObject } from '../../src/kube/json.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import { bindingFrom, policyFrom, policyText } from '../policy/policy-from.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

const timeouts = policyFrom(
  policyText(
    `
params: { default: { timeout: 15s } }
defaults:
  # The second rests on the first, and is written before it.
  - forEach: $.spec.http[*]
    when: has(target.timeout) && has(target.retries) && has(target.retries.attempts)
    set: { retries.perTryTimeout: "target.timeout == '15s' ? '5s' : '1s'" }
    note: a note
  - { forEach: "$.spec.http[*]", when: has(target.route), set: { timeout: params.timeout } }
`,
    { code: 'RES-01', name: 'timeouts' },
  ),
)
const limits = policyFrom(
  policyText(
    `
defaults:
  - forEach: $.spec
    set: { trafficPolicy.connectionPool: "{'tcp': {'maxConnections': 100}}", trafficPolicy.outlierDetection.interval: "'10s'" }
`,
    { code: 'RES-06', name: 'limits', resources: 'destinationrules' },
  ),
)
const set = policySetOf([timeouts, limits])

describe('on CREATE', () => {
  test('an absent field of every place is filled, and recorded in one annotation', () => {
    const decision = mutate(routes([{ route: [] }, { redirect: {} }, { route: [], timeout: '3s' }]))
    expect(decision.filled).toEqual([
      {
        field: 'spec.http[0].timeout',
        path: ['spec', 'http', 0, 'timeout'],
        value: '15s',
        code: 'RES-01',
        policy: 'timeouts',
      },
    ])
    expect(decision.patch).toEqual([
      { op: 'add', path: '/spec/http/0/timeout', value: '15s' },
      {
        op: 'add',
        path: '/metadata/annotations',
        value: { [FILLED_ANNOTATION]: '[{"field":"spec.http[0].timeout","value":"15s","code":"RES-01"}]' },
      },
    ])
  })

  test('a default may rest on another, whatever their order; its note goes with it', () => {
    const decision = mutate(routes([{ route: [], retries: { attempts: 2 } }]))
    expect(decision.filled.map(({ field, value, note }) => [field, value, note])).toEqual([
      ['spec.http[0].timeout', '15s', undefined],
      ['spec.http[0].retries.perTryTimeout', '5s', 'a note'],
    ])
  })

  test('missing parents are made, and of several fields each that is absent is filled', () => {
    const decision = mutate(rule({ host: 'a', trafficPolicy: { outlierDetection: { interval: '1s' } } }))
    expect(valuesOf(decision)).toEqual({ 'spec.trafficPolicy.connectionPool': { tcp: { maxConnections: 100 } } })
    expect(after(rule({ host: 'a' }), mutate(rule({ host: 'a' })))?.spec).toEqual({
      host: 'a',
      trafficPolicy: { connectionPool: { tcp: { maxConnections: 100 } }, outlierDetection: { interval: '10s' } },
    })
  })

  test('null is absent', () => {
    expect(valuesOf(mutate(routes([{ route: [], timeout: null }])))).toEqual({ 'spec.http[0].timeout': '15s' })
    const nulls = rule({ host: 'a', trafficPolicy: null })
    expect(after(nulls, mutate(nulls))?.spec).toMatchObject({
      trafficPolicy: { outlierDetection: { interval: '10s' } },
    })
  })

  test.each<[string, JsonObject]>([
    ['what is written', routes([{ route: [], timeout: '0s' }])],
    ['a value of another type', routes([{ route: [], timeout: 15 }])],
    ['an empty text', routes([{ route: [], timeout: '' }])],
    ['below what is no object', rule({ host: 'a', trafficPolicy: 'none' })],
    ['below a list', rule({ host: 'a', trafficPolicy: [] })],
    ['where there is no place', routes([])],
    ['in odd content', routes('text')],
    ['in no spec', { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'a' } }],
  ])('nothing is filled over %s', (_, object) => {
    expect(mutate(object)).toMatchObject({ filled: [], patch: [] })
  })

  test('annotations that are there stay', () => {
    const object = { ...routes([{ route: [] }]), metadata: { name: 'a', annotations: { note: 'x' } } }
    expect(after(object, mutate(object))?.metadata).toEqual({
      name: 'a',
      annotations: {
        note: 'x',
        [FILLED_ANNOTATION]: '[{"field":"spec.http[0].timeout","value":"15s","code":"RES-01"}]',
      },
    })
  })

  test('an object without metadata is filled without a record', () => {
    const object = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', spec: { http: [{ route: [] }] } }
    expect(mutate(object).patch).toEqual([{ op: 'add', path: '/spec/http/0/timeout', value: '15s' }])
  })

  test('annotations that are none stay as they are', () => {
    const object = { ...routes([{ route: [] }]), metadata: { name: 'a', annotations: 'none' } }
    expect(mutate(object).patch).toEqual([{ op: 'add', path: '/spec/http/0/timeout', value: '15s' }])
  })

  test('a second time fills nothing', () => {
    const object = routes([{ route: [], retries: { attempts: 2 } }])
    const once = after(object, mutate(object)) ?? {}
    expect(mutate(once)).toMatchObject({ filled: [], patch: [] })
  })

  test('a copy of a record that does not hold is taken away, the rest of it stays', () => {
    const record = [
      { field: 'spec.http[0].timeout', value: '15s', code: 'RES-01' },
      { field: 'spec.http[1].timeout', value: '15s', code: 'RES-01' },
    ]
    const object = recorded(
      routes([
        { route: [], timeout: '15s' },
        { route: [], timeout: '9s' },
      ]),
      record,
    )
    expect(recordIn(after(object, mutate(object)))).toEqual([record[0]])
    const gone = recorded(routes([{ route: [], timeout: '9s' }]), record)
    expect(mutate(gone).patch).toEqual([{ op: 'remove', path: '/metadata/annotations/meshward.io~1filled' }])
  })

  test.each([['not JSON'], ['{}'], ['[1, null, {}]'], ['[{"field":"spec["}]'], ['"x"']])(
    'a record that says %s is replaced',
    (text) => {
      const object = { ...routes([{ route: [] }]), metadata: { name: 'a', annotations: { [FILLED_ANNOTATION]: text } } }
      expect(recordIn(after(object, mutate(object)))).toEqual([
        { field: 'spec.http[0].timeout', value: '15s', code: 'RES-01' },
      ])
    },
  )
})

describe('on UPDATE', () => {
  const old = routes([{ name: 'a', route: [] }])

  test('a place that the old object has is left as it is', () => {
    expect(mutate(routes([{ name: 'a', route: [1] }]), old)).toMatchObject({ filled: [], patch: [] })
  })

  test('a place that it does not have is filled', () => {
    const decision = mutate(
      routes([
        { name: 'new', route: [] },
        { name: 'a', route: [] },
      ]),
      old,
    )
    expect(valuesOf(decision)).toEqual({ 'spec.http[0].timeout': '15s' })
  })

  test('a block that it does not have is one', () => {
    const decision = mutate(rule({ host: 'a', trafficPolicy: { loadBalancer: {} } }), rule({ host: 'a' }))
    expect(Object.keys(valuesOf(decision))).toEqual([
      'spec.trafficPolicy.connectionPool',
      'spec.trafficPolicy.outlierDetection.interval',
    ])
    expect(valuesOf(mutate(rule({ host: 'b' }), rule({ host: 'a' })))).toEqual({})
    expect(
      valuesOf(mutate(rule({ host: 'a', trafficPolicy: { tls: {} } }), rule({ host: 'a', trafficPolicy: {} }))),
    ).toEqual({})
  })

  test('what a tool applies again without our value gets it back, silently', () => {
    const manifest = routes([{ name: 'a', route: [], retries: { attempts: 2 } }])
    const stored = after(manifest, mutate(manifest)) ?? {}
    const next = routes([{ name: 'a', route: [1], retries: { attempts: 2 } }])
    const decision = mutate(next, stored)
    expect(decision.filled.map(({ field, restored }) => [field, restored])).toEqual([
      ['spec.http[0].timeout', true],
      ['spec.http[0].retries.perTryTimeout', true],
    ])
    expect(recordIn(after(next, decision))).toEqual(recordIn(stored))
  })

  test('and the same value where the old parameters gave another', () => {
    const stored = recorded(routes([{ name: 'a', route: [], timeout: '20s' }]), [
      { field: 'spec.http[0].timeout', value: '20s', code: 'RES-01' },
    ])
    expect(valuesOf(mutate(routes([{ name: 'a', route: [1] }]), stored))).toEqual({ 'spec.http[0].timeout': '20s' })
  })

  test('a field that a person wrote and takes away is not filled', () => {
    const stored = routes([{ name: 'a', route: [], timeout: '20s' }])
    expect(mutate(routes([{ name: 'a', route: [] }]), stored)).toMatchObject({ filled: [] })
  })

  test('unless the person wrote the default itself: then nothing changes', () => {
    const stored = routes([{ name: 'a', route: [], timeout: '15s' }])
    const decision = mutate(routes([{ name: 'a', route: [1] }]), stored)
    expect(decision.filled).toMatchObject([{ value: '15s', restored: true }])
  })

  test('the record follows its items and loses what a person wrote', () => {
    const stored = recorded(
      routes([
        { name: 'a', timeout: '15s' },
        { name: 'b', timeout: '15s' },
        { name: 'c', timeout: '15s' },
      ]),
      [
        { field: 'spec.http[0].timeout', value: '15s', code: 'RES-01' },
        { field: 'spec.http[1].timeout', value: '15s', code: 'RES-01' },
        { field: 'spec.http[2].timeout', value: '15s', code: 'RES-01' },
      ],
    )
    const next = routes([
      { name: 'new', timeout: '1s' },
      { name: 'b', timeout: '15s' },
      { name: 'a', timeout: '9s' },
    ])
    expect(recordIn(after(next, mutate(next, stored)))).toEqual([
      { field: 'spec.http[1].timeout', value: '15s', code: 'RES-01' },
    ])
  })

  test('a mutation that comes twice says the same twice', () => {
    const next = routes([
      { name: 'new', route: [] },
      { name: 'a', route: [] },
    ])
    const once = after(next, mutate(next, old)) ?? {}
    expect(recordIn(once)).toEqual([{ field: 'spec.http[0].timeout', value: '15s', code: 'RES-01' }])
    expect(mutate(once, old)).toMatchObject({ filled: [], patch: [] })
  })

  test('a copy of the old record does not speak of other places', () => {
    const record = [{ field: 'spec.http[0].timeout', value: '15s', code: 'RES-01' }]
    const stored = recorded(routes([{ name: 'a', timeout: '15s' }]), record)
    const edited = recorded(
      routes([
        { name: 'new', timeout: '15s' },
        { name: 'a', timeout: '15s' },
      ]),
      record,
    )
    expect(recordIn(after(edited, mutate(edited, stored)))).toEqual([
      { field: 'spec.http[1].timeout', value: '15s', code: 'RES-01' },
    ])
  })

  test('an update that changes nothing is not touched', () => {
    expect(mutate(old, old)).toMatchObject({ judged: false, filled: [], patch: [] })
  })
})

describe('the size of the record', () => {
  const many = routes(Array.from({ length: 500 }, (_, index) => ({ name: `r${index}`, route: [] })))
  const stored = after(many, mutate(many)) ?? {}

  test('is bounded, and says how many more there are', () => {
    const record = recordIn(stored)
    expect(JSON.stringify(record).length).toBeLessThan(8300)
    expect(record.at(-1)).toEqual({ more: 500 - (record.length - 1) })
  })

  test('and stays as it is when the same is filled again, restored, or left alone', () => {
    expect(mutate(stored).patch).toEqual([])
    const again = { ...many, metadata: { name: 'a', labels: { a: 'b' } } }
    expect(recordIn(after(again, mutate(again, stored)))).toEqual(recordIn(stored))
    const moved = { ...stored, metadata: { ...metadataOf(stored), labels: { a: 'b' } } }
    expect(mutate(moved, stored).patch).toEqual([])
  })

  test('a value that is too large for it is counted', () => {
    const large = policyFrom(policyText(`defaults: [{ set: { spec.a: "'${'x'.repeat(9000)}'" } }]`))
    const object = routes([])
    const filled = after(object, mutate(object, null, policySetOf([large])))
    expect(recordIn(filled)).toEqual([{ more: 1 }])
    expect(mutate(filled ?? {}, null, policySetOf([large])).patch).toEqual([])
  })
})

describe('nothing is filled', () => {
  const object = routes([{ route: [] }])
  test.each<[string, PolicySet]>([
    [
      'by a binding that says Off',
      policySetOf([timeouts], [bindingFrom('policies: [timeouts]\ndefaultsAction: "Off"')]),
    ],
    [
      'by a policy that does not apply',
      policySetOf([timeouts], [bindingFrom('policies: [timeouts]\nmatch: { namespaces: [other] }')]),
    ],
    ['under enforcement warn', policySetOf([timeouts], [], 'warn')],
    ['under enforcement off', policySetOf([timeouts], [], 'off')],
    [
      'by a default that cannot be evaluated',
      policySetOf([policyFrom(policyText('defaults: [{ set: { spec.a: "object.nope" } }]'))]),
    ],
    [
      'by a condition that cannot be evaluated',
      policySetOf([policyFrom(policyText(`defaults: [{ when: "object.nope == 1", set: { spec.a: "1" } }]`))]),
    ],
    [
      'by a default whose value is null',
      policySetOf([policyFrom(policyText('defaults: [{ set: { spec.a: "dyn(null)" } }]'))]),
    ],
    [
      'where a match condition is false',
      policySetOf([
        policyFrom(
          policyText('matchConditions: [{ name: a, expression: "false" }]\ndefaults: [{ set: { spec.a: "1" } }]'),
        ),
      ]),
    ],
  ])('%s', (_, policies) => {
    expect(mutate(object, null, policies)).toMatchObject({ filled: [], patch: [] })
  })

  test('on DELETE', () => {
    const request = requestFor(object, object, { operation: 'DELETE', object: null })
    expect(decide({ request, policies: set, mesh: buildSnapshot([]), phase: 'both' })).toMatchObject({
      filled: [],
      patch: [],
    })
  })

  test('when only findings are asked for', () => {
    expect(
      decide({ request: requestFor(object), policies: set, mesh: buildSnapshot([]), phase: 'validate' }).patch,
    ).toEqual([])
  })
})

test('two bindings of one policy fill each place once', () => {
  const bindings = [
    bindingFrom('policies: [timeouts]\nparams: { timeout: 1s }'),
    bindingFrom('policies: [timeouts]\nparams: { timeout: 2s }'),
  ]
  const decision = mutate(routes([{ route: [] }]), null, policySetOf([timeouts], bindings))
  expect(valuesOf(decision)).toEqual({ 'spec.http[0].timeout': '1s' })
})

function routes(http: Json): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata: { name: 'a' }, spec: { http } }
}

function rule(spec: Json): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata: { name: 'a' }, spec }
}

function recorded(object: JsonObject, record: Json): JsonObject {
  return { ...object, metadata: { name: 'a', annotations: { [FILLED_ANNOTATION]: JSON.stringify(record) } } }
}

function mutate(object: JsonObject, old: JsonObject | null = null, policies: PolicySet = set): Decision {
  return decide({ request: requestFor(object, old), policies, mesh: buildSnapshot([]), phase: 'mutate' })
}

function after(object: JsonObject, { patch }: Decision): JsonObject | undefined {
  return applyJsonPatch(object, patch)
}

function valuesOf({ filled }: Decision): Record<string, Json> {
  return Object.fromEntries(filled.map(({ field, value }) => [field, value]))
}

function metadataOf(object: JsonObject | undefined): { readonly annotations?: Record<string, string> } {
  return JSON.parse(JSON.stringify(object?.metadata ?? {}))
}

function recordIn(object: JsonObject | undefined): readonly unknown[] {
  return JSON.parse(metadataOf(object).annotations?.[FILLED_ANNOTATION] ?? 'null')
}
