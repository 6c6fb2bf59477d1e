import { describe, expect, test } from 'vitest'

import { DEFAULT_SETTINGS, readWebhookSettings, type WebhookSettings } from '../../src/webhook/webhook-settings.ts'
import { webhookLists } from '../../src/webhook/webhook-configurations.ts'
import { asList, asObject, type Json } from '../../src/kube/json.ts'
import { testPolicies } from './test-server.ts'

function lists(settings?: Partial<WebhookSettings>) {
  return webhookLists(testPolicies(), {
    name: 'meshward',
    clientConfig: (path) => ({ url: `https://meshward.example${path}` }),
    excludedNamespaces: ['kube-system', 'meshward-system'],
    istioNamespace: 'istio-system',
    ...(settings === undefined ? {} : { settings: { ...DEFAULT_SETTINGS, ...settings } }),
  })
}

const entries = (list: Json) => asList(list).map((entry) => asObject(entry))

describe('the entries of an installation', () => {
  test('wait 3 s, leave out the own namespace and kube-system, and partition kinds by failure policy', () => {
    const [closed, ...others] = entries(lists().validating)
    expect(others).toEqual([])
    expect(closed).toMatchObject({
      name: 'closed.validate.meshward.io',
      failurePolicy: 'Fail',
      timeoutSeconds: 3,
      namespaceSelector: {
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'meshward-system'] },
        ],
      },
      objectSelector: {},
    })
    expect(lists(DEFAULT_SETTINGS)).toEqual(lists())
  })

  test('all fail open where the installation says so, with the same rules', () => {
    const [closed] = entries(lists().validating)
    expect(lists({ failurePolicy: 'Ignore' }).validating).toEqual([
      { ...closed, name: 'open.validate.meshward.io', failurePolicy: 'Ignore' },
    ])
  })

  test('are narrowed by what the installation adds, and by nothing that takes the exclusions away', () => {
    const condition = { name: 'not-argo', expression: "request.userInfo.username != 'argo'" }
    const [plain] = entries(lists().mutating)
    const [narrowed] = entries(
      lists({
        timeoutSeconds: 2,
        excludedNamespaces: ['legacy', 'kube-system'],
        namespaceSelector: { matchLabels: { mesh: 'on' }, matchExpressions: [{ key: 'team', operator: 'Exists' }] },
        objectSelector: { matchLabels: { a: 'b' } },
        matchConditions: [condition],
      }).mutating,
    )
    const values = ['kube-system', 'meshward-system', 'legacy']
    expect(narrowed).toEqual({
      ...plain,
      timeoutSeconds: 2,
      namespaceSelector: {
        matchLabels: { mesh: 'on' },
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values },
          { key: 'team', operator: 'Exists' },
        ],
      },
      objectSelector: { matchLabels: { a: 'b' } },
      matchConditions: [...asList(plain?.matchConditions), condition],
    })
  })
})

describe('a file of webhook settings', () => {
  const defaults = { ...DEFAULT_SETTINGS, timeoutSeconds: 7 }

  test('may say everything', () => {
    const settings = {
      timeoutSeconds: 2,
      failurePolicy: 'Ignore' as const,
      excludedNamespaces: ['legacy'],
      excludedUsers: ['system:serviceaccount:ci:*'],
      excludedGroups: ['platform'],
      namespaceSelector: { matchLabels: { mesh: 'on' } },
      objectSelector: { matchExpressions: [{ key: 'x', operator: 'In', values: ['1'] }] },
      matchConditions: [{ name: 'a', expression: 'true' }],
    }
    expect(readWebhookSettings(JSON.stringify(settings), defaults)).toEqual({ ok: true, settings })
  })

  test.each([
    ['nothing at all', ''],
    ['an empty map', '{}'],
    ['a comment', '# later\n'],
  ])('may say %s, which leaves everything as it was', (_, text) => {
    expect(readWebhookSettings(text, defaults)).toEqual({ ok: true, settings: defaults })
  })

  test.each([
    ['a field that there is not', 'timeout: 3', /^1:1: .*timeout/],
    ['a longer wait than Kubernetes knows', 'failurePolicy: Ignore\ntimeoutSeconds: 31', /^2:17: timeoutSeconds: /],
    ['a failure policy that there is not', 'failurePolicy: Deny', /^1:16: failurePolicy: /],
    ['a condition without an expression', 'matchConditions: [{ name: a }]', /^1:19: matchConditions\[0\]/],
    ['two documents', '{}\n---\n{}', /more than one YAML document/],
    ['no YAML', 'a: [', /^1:\d+: /],
  ])('is refused for %s, with the place', (_, text, reason) => {
    expect(readWebhookSettings(text, defaults)).toEqual({ ok: false, reason: expect.stringMatching(reason) })
  })
})
