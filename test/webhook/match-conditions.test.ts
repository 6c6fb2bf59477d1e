import { describe, expect, test } from 'vitest'

import { celValue, createBudget, createEnvironment, fromCel } from '../../src/cel/environment.ts'
import type { Json } from '../../src/kube/json.ts'
import { matchConditions } from '../../src/webhook/match-conditions.ts'
import { DEFAULT_SETTINGS, type WebhookSettings } from '../../src/webhook/webhook-settings.ts'

const environment = createEnvironment({ variables: { request: 'dyn', object: 'dyn', oldObject: 'dyn' } })

/** Names of the conditions under which nothing is asked about a request. */
function unmet(
  settings: Partial<WebhookSettings>,
  request: Json,
  object: Json,
  oldObject: Json = null,
): readonly string[] {
  const variables = { request: celValue(request), object: celValue(object), oldObject: celValue(oldObject) }
  return matchConditions('istio-system', { ...DEFAULT_SETTINGS, ...settings }).flatMap(({ name, expression }) => {
    const compiled = environment.compile(expression)
    if (!compiled.ok) throw new Error(`${name}: ${compiled.issues.map(({ message }) => message).join()}`)
    const outcome = compiled.program.evaluate(variables, createBudget())
    if (!outcome.ok) throw new Error(`${name}: ${outcome.error.message}`)
    return fromCel(outcome.value) === true ? [] : [name]
  })
}

const created = (userInfo: Json) => ({ operation: 'CREATE', dryRun: false, kind: { kind: 'Sidecar' }, userInfo })
const object = { metadata: { name: 'a' }, spec: { x: 1 } }

describe('users and groups that are excluded', () => {
  const settings = {
    excludedUsers: ['jane', 'system:serviceaccount:ci:*', 'a.b'],
    excludedGroups: ['mesh-*', 'admins'],
  }

  test.each<[string, Json, readonly string[]]>([
    ['by name', { username: 'jane' }, ['not-an-excluded-user']],
    ['by a pattern', { username: 'system:serviceaccount:ci:bot' }, ['not-an-excluded-user']],
    ['by a group', { username: 'joe', groups: ['dev', 'admins'] }, ['not-of-an-excluded-group']],
    ['by a pattern of a group', { username: 'joe', groups: ['mesh-team'] }, ['not-of-an-excluded-group']],
    ['by both', { username: 'jane', groups: ['mesh-team'] }, ['not-an-excluded-user', 'not-of-an-excluded-group']],
  ])('are not asked about: %s', (_, userInfo, names) => {
    expect(unmet(settings, created(userInfo), object)).toEqual(names)
  })

  test.each<[string, Json]>([
    ['a longer name', { username: 'janet' }],
    ['a name that ends like one', { username: 'my-jane' }],
    ['a pattern that fits in the middle only', { username: 'x:system:serviceaccount:ci:bot' }],
    ['a character for which a dot would stand in a regular expression', { username: 'axb' }],
    ['a group that is a user', { username: 'admins', groups: ['jane'] }],
    ['nobody', {}],
    ['a user without groups', { username: 'joe', groups: [] }],
  ])('are no reason not to ask about %s', (_, userInfo) => {
    expect(unmet(settings, created(userInfo), object)).toEqual([])
  })

  test('are no condition where there are none', () => {
    expect(matchConditions('istio-system', DEFAULT_SETTINGS).map(({ name }) => name)).toEqual([
      'not-the-probe-of-istiod',
      'not-only-the-status',
    ])
  })

  test('are literals, whatever they contain', () => {
    const odd = String.raw`o'"\d*`
    expect(unmet({ excludedUsers: [odd] }, created({ username: String.raw`o'"\dd` }), object)).toEqual([
      'not-an-excluded-user',
    ])
    expect(unmet({ excludedUsers: [odd] }, created({ username: String.raw`o'"77` }), object)).toEqual([])
  })
})

describe('what is never asked about', () => {
  const updated = { ...created({ username: 'jane' }), operation: 'UPDATE' }

  test('an update of the status alone', () => {
    expect(unmet({}, updated, { ...object, status: { ok: true } }, object)).toEqual(['not-only-the-status'])
  })

  test.each<[string, Json]>([
    ['spec', { ...object, spec: { x: 2 } }],
    ['a label', { ...object, metadata: { name: 'a', labels: { b: 'c' } } }],
    ['an annotation', { ...object, metadata: { name: 'a', annotations: { b: 'c' } } }],
  ])('an update of %s is asked about', (_, next) => {
    expect(unmet({}, updated, next, object)).toEqual([])
  })

  const probe = {
    metadata: { name: 'invalid-gateway', annotations: { 'internal.istio.io/webhook-always-reject': 'true' } },
  }
  const asked = {
    operation: 'CREATE',
    dryRun: true,
    kind: { kind: 'Gateway' },
    namespace: 'istio-system',
    name: 'invalid-gateway',
    userInfo: { username: 'istiod' },
  }

  test('the probe of istiod', () => {
    expect(unmet({}, asked, probe)).toEqual(['not-the-probe-of-istiod'])
  })

  test.each<[string, Json, Json]>([
    ['the same in earnest', { ...asked, dryRun: false }, probe],
    ['the same in another namespace', { ...asked, namespace: 'default' }, probe],
    ['another Gateway', { ...asked, name: 'mine' }, probe],
    ['a Gateway without the annotation', asked, { metadata: { name: 'invalid-gateway', annotations: {} } }],
    ['a Gateway without annotations', asked, { metadata: { name: 'invalid-gateway' } }],
  ])('%s is asked about', (_, request, gateway) => {
    expect(unmet({}, request, gateway)).toEqual([])
  })
})
