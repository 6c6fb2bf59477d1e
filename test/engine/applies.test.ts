import { describe, expect, test } from 'vitest'

import { applies, type NamespaceLabels } from '../../src/engine/applies.ts'
import type { AdmissionRequest } from '../../src/engine/request.ts'
import { shippedBinding } from '../../src/policy/binding.ts'
import { bindingFrom, policyFrom, policyText } from '../policy/policy-from.ts'
import { policySetOf } from './policy-set-of.ts'
import { requestFor } from './request-for.ts'

const known: NamespaceLabels = { known: true, labels: { 'kubernetes.io/metadata.name': 'shop', tier: 'web' } }
const unknown: NamespaceLabels = { known: false, labels: { 'kubernetes.io/metadata.name': 'shop' } }

const object = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'reviews', namespace: 'shop', labels: { app: 'reviews' } },
}

describe('match constraints', () => {
  const rule = (text: string): string =>
    policyText('').replace(/ {2}matchConstraints:[^]*$/, `  matchConstraints:\n    resourceRules: [${text}]`)
  const all = 'apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], operations: ["*"]'

  test.each<[string, string, Partial<AdmissionRequest>, boolean]>([
    ['everything', `{ ${all} }`, {}, true],
    ['the group', `{ ${all.replace('apiGroups: ["*"]', 'apiGroups: [networking.istio.io]')} }`, {}, true],
    ['another group', `{ ${all.replace('apiGroups: ["*"]', 'apiGroups: [security.istio.io]')} }`, {}, false],
    ['the version', `{ ${all.replace('apiVersions: ["*"]', 'apiVersions: [v1beta1, v1]')} }`, {}, true],
    ['another version', `{ ${all.replace('apiVersions: ["*"]', 'apiVersions: [v1beta1]')} }`, {}, false],
    ['the resource', `{ ${all.replace('resources: ["*"]', 'resources: [virtualservices]')} }`, {}, true],
    ['another resource', `{ ${all.replace('resources: ["*"]', 'resources: [gateways]')} }`, {}, false],
    ['no subresource unless it is named', `{ ${all} }`, { subResource: 'status' }, false],
    [
      'a subresource that is named',
      `{ ${all.replace('resources: ["*"]', 'resources: [virtualservices/status]')} }`,
      { subResource: 'status' },
      true,
    ],
    ['the operation', `{ ${all.replace('operations: ["*"]', 'operations: [CREATE]')} }`, {}, true],
    ['another operation', `{ ${all.replace('operations: ["*"]', 'operations: [UPDATE, DELETE]')} }`, {}, false],
    ['the name', `{ ${all}, resourceNames: [reviews] }`, {}, true],
    ['another name', `{ ${all}, resourceNames: [ratings] }`, {}, false],
    ['one rule of several', `{ ${all.replace('resources: ["*"]', 'resources: [gateways]')} }, { ${all} }`, {}, true],
    [
      'no part of one rule and part of another',
      `{ ${all.replace('apiGroups: ["*"]', 'apiGroups: [x]')} }, { ${all.replace('operations: ["*"]', 'operations: [DELETE]')} }`,
      {},
      false,
    ],
  ])('%s', (_, text, request, expected) => {
    expect(answer(rule(text), '', request)).toBe(expected ? 'yes' : 'no')
  })

  test('an exclusion wins', () => {
    const text = `${policyText('')}\n    excludeResourceRules: [{ ${all}, resourceNames: [reviews] }]`
    expect(answer(text, '')).toBe('no')
    expect(answer(text, '', { name: 'ratings' })).toBe('yes')
  })
})

describe('the scope of a binding', () => {
  test.each<[string, string, Partial<AdmissionRequest>, boolean]>([
    ['nothing said', '', {}, true],
    ['the namespace', 'namespaces: [shop]', {}, true],
    ['a pattern', 'namespaces: ["sh*", x]', {}, true],
    ['another namespace', 'namespaces: [web]', {}, false],
    ['a namespace left out', 'excludeNamespaces: ["sh*"]', {}, false],
    ['left out although named', '{ namespaces: [shop], excludeNamespaces: [shop] }', {}, false],
    ['another left out', 'excludeNamespaces: [web]', {}, true],
    ['the user left out', 'excludeUsers: [jane]', {}, false],
    [
      'a pattern of users',
      'excludeUsers: ["system:serviceaccount:*"]',
      { userInfo: { username: 'system:serviceaccount:a:b', groups: [] } },
      false,
    ],
    ['another user left out', 'excludeUsers: [john]', {}, true],
    ['one of the groups left out', 'excludeGroups: ["system:auth*"]', {}, false],
    ['another group left out', 'excludeGroups: [admins]', {}, true],
    ['a cluster-scoped object where namespaces are named', 'namespaces: [shop]', { namespace: '' }, false],
    ['a cluster-scoped object where every namespace is', 'namespaces: ["*"]', { namespace: '' }, true],
  ])('%s', (_, match, request, expected) => {
    expect(answer(policyText(''), match, request)).toBe(expected ? 'yes' : 'no')
  })
})

describe('object selectors are met by the new object or by the old', () => {
  const selector = 'objectSelector: { matchLabels: { app: reviews } }'
  const other = { ...object, metadata: { ...object.metadata, labels: { app: 'ratings' } } }
  test.each<[string, Partial<AdmissionRequest>, boolean]>([
    ['a new object that has the label', {}, true],
    ['a new object that has another', { object: other }, false],
    ['an update that takes it away', { object: other, oldObject: object, operation: 'UPDATE' }, true],
    ['an update that adds it', { object, oldObject: other, operation: 'UPDATE' }, true],
    ['an update of one that never had it', { object: other, oldObject: other, operation: 'UPDATE' }, false],
    ['a deletion', { object: null, oldObject: object, operation: 'DELETE' }, true],
    ['labels that are none', { object: { ...object, metadata: { labels: [1] } } }, false],
  ])('%s', (_, request, expected) => {
    const inPolicy = `${policyText('')}\n    ${selector}`
    expect([answer(inPolicy, '', request), answer(policyText(''), selector, request)]).toEqual(
      expected ? ['yes', 'yes'] : ['no', 'no'],
    )
  })
})

describe('namespace selectors', () => {
  const cannotSay = { unknownNamespace: 'shop' }
  const nameIs = 'matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: [shop] }]'
  const nameIsNot = 'matchExpressions: [{ key: kubernetes.io/metadata.name, operator: NotIn, values: [shop] }]'
  test.each<[string, string, NamespaceLabels, ReturnType<typeof answer>]>([
    ['a label that it has', 'matchLabels: { tier: web }', known, 'yes'],
    ['a label that it does not have', 'matchLabels: { tier: db }', known, 'no'],
    ['a label that must be absent and is', 'matchExpressions: [{ key: legacy, operator: DoesNotExist }]', known, 'yes'],
    [
      'a label that must be absent and is not',
      'matchExpressions: [{ key: tier, operator: DoesNotExist }]',
      known,
      'no',
    ],
    ['a label of a namespace that nobody knows', 'matchLabels: { tier: web }', unknown, cannotSay],
    [
      'a label that must be absent there',
      'matchExpressions: [{ key: legacy, operator: DoesNotExist }]',
      unknown,
      cannotSay,
    ],
    [
      'a value that it must not have there',
      'matchExpressions: [{ key: legacy, operator: NotIn, values: [x] }]',
      unknown,
      cannotSay,
    ],
    ['its name, which is always known', nameIs, unknown, 'yes'],
    ['another name', nameIsNot, unknown, 'no'],
    ['its name as a label', 'matchLabels: { kubernetes.io/metadata.name: shop }', unknown, 'yes'],
    ['its name and a label that nobody knows', `${nameIs}, matchLabels: { tier: web }`, unknown, cannotSay],
    ['another name and a label that nobody knows', `${nameIsNot}, matchLabels: { tier: web }`, unknown, 'no'],
    ['an object without a namespace', 'matchLabels: { tier: web }', { known: true, labels: undefined }, 'yes'],
  ])('%s', (_, selector, labels, expected) => {
    const inPolicy = `${policyText('')}\n    namespaceSelector: { ${selector} }`
    const inBinding = `namespaceSelector: { ${selector} }`
    expect([answer(inPolicy, '', {}, labels), answer(policyText(''), inBinding, {}, labels)]).toEqual([
      expected,
      expected,
    ])
  })

  test('one that says no decides, whatever the other does not know', () => {
    const inPolicy = `${policyText('')}\n    namespaceSelector: { matchLabels: { tier: web } }`
    expect(answer(inPolicy, `namespaceSelector: { ${nameIsNot} }`, {}, unknown)).toBe('no')
  })
})

function answer(
  policy: string,
  match: string,
  request: Partial<AdmissionRequest> = {},
  labels: NamespaceLabels = known,
): ReturnType<typeof applies> {
  const compiled = policyFrom(policy)
  const scope = match.startsWith('{') ? match : `{ ${match} }`
  const binding = match === '' ? shippedBinding(compiled) : bindingFrom(`policies: [a-test]\nmatch: ${scope}`)
  const [bound] = policySetOf([compiled], [binding]).bound
  if (bound === undefined) throw new Error('nothing bound')
  return applies(bound, requestFor(object, null, request), labels)
}
