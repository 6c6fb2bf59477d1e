import { Command } from 'commander'
import { beforeAll, describe, expect, test } from 'vitest'

import { asList, asObject, equal, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { parseYamlDocuments, type YamlDocument } from '../../../src/kube/yaml-document.ts'
import { readBinding, type Binding } from '../../../src/policy/binding.ts'
import { createPolicyCompiler } from '../../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../../src/policy/mesh-functions/all.ts'
import { resourceOf } from '../../../src/kube/resource-names.ts'
import { splitKindName } from '../../../src/mesh/kinds.ts'
import { watchedKinds } from '../../../src/sources/cluster/policy-kinds.ts'
import { strings } from '../../../src/policy/policy-head.ts'
import { readPolicies } from '../../../src/sources/policy-files.ts'
import { clusterOptionsProblem } from '../../../src/webhook/cluster/check-cluster-options.ts'
import { addServeOptions, type ServeOptions } from '../../../src/webhook/serve-options.ts'
import { DEFAULT_SETTINGS, readWebhookSettings } from '../../../src/webhook/webhook-settings.ts'
import { fieldOf, openRenderer, textOf, type Renderer } from './render.ts'

// What the chart writes for the server is what the server reads.

let renderer: Renderer
beforeAll(async () => {
  renderer = await openRenderer('4')
})

/** A key of the ConfigMap that a server follows. */
async function fileOf(key: string, values: JsonObject): Promise<string> {
  return textOf(await renderer.render(values), 'ConfigMap/meshward-config', 'data', key)
}

function documentsOf(text: string): readonly YamlDocument[] {
  return parseYamlDocuments(text).map((outcome) => {
    if (!outcome.ok) throw new Error(outcome.error.message)
    return outcome.document
  })
}

async function optionsOf(values: JsonObject): Promise<ServeOptions> {
  const rendered = await renderer.render(values)
  const args = fieldOf(rendered, 'Deployment/meshward', 'spec', 'template', 'spec', 'containers', 0, 'args')
  const command = addServeOptions(new Command()).exitOverride()
  return command.parse(strings(args), { from: 'user' }).opts<ServeOptions>()
}

describe('the command line', () => {
  test.each<[what: string, values: JsonObject, options: Partial<ServeOptions>]>([
    [
      'as it is',
      {},
      {
        inCluster: true,
        serviceName: 'meshward',
        servicePort: 443,
        tlsSecret: 'meshward-tls',
        events: true,
        port: 8443,
      },
    ],
    [
      'an address beside the Service',
      { webhook: { url: 'https://a.example:8443' } },
      { webhookUrl: 'https://a.example:8443' },
    ],
    ['a port for scrapes', { metrics: { port: 9090 } }, { metricsPort: 9090 }],
    [
      'short lives',
      { certificates: { self: { caValidity: '3h', leafValidity: '2h', rotateBefore: '90m' } } },
      { caValidity: 10_800_000, leafValidity: 7_200_000, rotateBefore: 5_400_000 },
    ],
    [
      "a Secret of one's own",
      { certificates: { mode: 'existing', existingSecret: 'mine' } },
      { tlsMode: 'files', tlsCert: '/etc/meshward/tls/tls.crt', caFile: '/etc/meshward/tls/ca.crt' },
    ],
    [
      'cert-manager',
      { certificates: { mode: 'cert-manager', certManager: { issuerRef: { name: 'ca' } } } },
      { tlsMode: 'files', tlsKey: '/etc/meshward/tls/tls.key' },
    ],
    [
      'everything else',
      {
        tracing: { enabled: true, endpoint: 'http://otel:4318' },
        debug: true,
        events: { enabled: false },
        rbac: { secretNamespaces: ['a', 'b'] },
        logLevel: 'warn',
        maxInFlight: 7,
        maxStaleness: '1m',
        shutdownDelay: '500ms',
        istio: { namespace: 'mesh' },
        extraArgs: ['--recheck-after=5s'],
      },
      {
        otelEndpoint: 'http://otel:4318',
        debug: true,
        secretNamespace: ['a', 'b'],
        logLevel: 'warn',
        maxInFlight: 7,
        maxStaleness: 60_000,
        shutdownDelay: 500,
        istioNamespace: 'mesh',
        recheckAfter: 5000,
      },
    ],
  ])('is one that the server takes: %s', async (_, values, expected) => {
    const options = await optionsOf(values)
    expect(options).toMatchObject(expected)
    expect(clusterOptionsProblem(options)).toBeUndefined()
  })

  test('names files that are mounted', async () => {
    const { enforcementFile, profileFile, disabledFile, webhookConfig, bindings, policies } = await optionsOf({})
    expect([enforcementFile, profileFile, disabledFile, webhookConfig, ...bindings]).toEqual(
      Object.keys(asObject(fieldOf(await renderer.render(), 'ConfigMap/meshward-config', 'data')))
        .toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
        .map((key) => `/etc/meshward/config/${key}`),
    )
    expect(policies).toEqual(['/etc/meshward/policies'])
  })
})

const ORDER = ['enforcement', 'profile', 'disabled', 'webhook.yaml', 'bindings.yaml']

describe('settings of the webhook', () => {
  test.each<[what: string, values: JsonObject]>([
    ['as they are', {}],
    [
      'all of them',
      {
        timeoutSeconds: 5,
        failurePolicy: 'Ignore',
        excludedNamespaces: ['legacy'],
        excludedUsers: ['system:serviceaccount:ci:*'],
        excludedGroups: ['platform'],
        namespaceSelector: { matchLabels: { mesh: 'on' } },
        objectSelector: { matchExpressions: [{ key: 'x', operator: 'Exists' }] },
        matchConditions: [{ name: 'a', expression: 'true' }],
      },
    ],
  ])('are read as they were said: %s', async (_, webhook) => {
    const read = readWebhookSettings(await fileOf('webhook.yaml', { webhook }), DEFAULT_SETTINGS)
    expect(read).toEqual({ ok: true, settings: { ...DEFAULT_SETTINGS, ...webhook } })
  })
})

async function bindingsOf(values: JsonObject): Promise<readonly Binding[]> {
  return documentsOf(await fileOf('bindings.yaml', values)).flatMap((document) => {
    if (document.value === null) return []
    const outcome = readBinding(document, 'bindings.yaml')
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
    return [outcome.binding]
  })
}

describe('bindings', () => {
  test('are none as it is', async () => {
    expect(await bindingsOf({})).toEqual([])
  })

  test('say what settings say, and what is written out', async () => {
    const written = {
      apiVersion: 'meshward.io/v1alpha1',
      kind: 'MeshPolicyBinding',
      metadata: { name: 'mine' },
      spec: { policies: ['MTLS-*'], match: { excludeGroups: ['ops'] } },
    }
    const settings = [
      { policies: ['RES-01'], actions: ['Warn'], params: { timeout: '9s' }, defaultsAction: 'Off' },
      { policies: ['GW-*'], match: { namespaces: ['shop'] }, unchangedFindings: 'Deny' },
    ]
    const bindings = await bindingsOf({
      policies: { settings, bindings: [written] },
      istio: { fillRetryBudget: false },
    })
    expect(bindings).toMatchObject([
      { policies: ['require-retry-budget'], validationActions: ['Audit'], defaultsAction: 'Off' },
      { policies: ['RES-01'], validationActions: ['Warn'], params: { timeout: '9s' }, defaultsAction: 'Off' },
      { policies: ['GW-*'], scope: { namespaces: ['shop'] }, unchangedFindings: 'Deny' },
      { name: 'mine', policies: ['MTLS-*'], scope: { excludeGroups: ['ops'] } },
    ])
  })
})

const compiler = createPolicyCompiler(MESH_FUNCTIONS)

describe("policies of one's own", () => {
  const policy = {
    apiVersion: 'meshward.io/v1alpha1',
    kind: 'MeshPolicy',
    metadata: { name: 'ours' },
    spec: {
      code: 'OWN-01',
      title: 'Ours',
      severity: 'error',
      matchConstraints: {
        resourceRules: [{ apiGroups: ['a.io'], apiVersions: ['*'], resources: ['as'], operations: ['CREATE'] }],
      },
      validations: [{ expression: 'object.spec.text.matches("^a: \\\\d+$")', message: 'a "quoted" {{ brace }}' }],
    },
  }

  test.each<[what: string, own: JsonObject]>([
    ['an object', { 'ours.yaml': policy }],
    ['a text', { 'ours.yaml': JSON.stringify(policy, null, 2) }],
    ['two in one text', { 'ours.yaml': `# First.\n---\n${JSON.stringify(policy)}\n--- # end\n` }],
  ])('arrive whole and compile: %s', async (_, own) => {
    const rendered = await renderer.render({ policies: { own } })
    const text = textOf(rendered, 'ConfigMap/meshward-policies', 'data', 'ours.yaml')
    const documents = documentsOf(text).filter(({ value }) => value !== null)
    expect(documents.map(({ value }) => value)).toEqual([policy])
    const outcomes = documents.map((document) => compiler.compile(document, 'ours.yaml'))
    expect(outcomes).toMatchObject([{ ok: true, policy: { code: 'OWN-01', issues: [] } }])
  })
})

/** The resources that a rendered role lets be listed and watched, `group/resource`. */
function readable(role: Json | undefined): readonly string[] {
  return asList(role)
    .map(asObject)
    .filter(({ verbs }) => equal(verbs, ['list', 'watch']))
    .flatMap(({ apiGroups, resources }) =>
      strings(apiGroups).flatMap((group) => strings(resources).map((resource) => `${group}/${resource}`)),
    )
    .toSorted()
}

describe('disabled policies', () => {
  test.each([
    ['none', []],
    ['by code', ['SCOPE-13']],
    ['by name', ['forbid-timeout-inversion', 'limit-retry-amplification']],
    ['areas', ['RES-*', 'SCOPE-*', 'AUTHZ-*', 'MTLS-*', 'JWT-*']],
    ['by patterns of both', ['*-known-*', 'VS-*', 'DR-0*', 'forbid-*', 'GW-*']],
    ['by what is no pattern, with characters of regular expressions', ['.*', 'RES.01']],
    ['all', ['*']],
  ])('are told to the server, and what only they read may not be read: %s', async (_, disabled) => {
    const rendered = await renderer.render({ policies: { disabled }, rbac: { secretNamespaces: ['ingress'] } })
    expect(textOf(rendered, 'ConfigMap/meshward-config', 'data', 'disabled')).toBe(disabled.join('\n'))
    const { policies, issues } = readPolicies(['policies'], compiler, disabled)
    expect(issues).toEqual([])
    const read = [...watchedKinds({ policies })].map((name) => {
      const { group, kind } = splitKindName(name)
      return `${group}/${resourceOf(group, kind).resource}`
    })
    const narrowed = ['configmaps', 'secrets'].flatMap((resource) =>
      rendered.has(`Role/meshward-${resource}`)
        ? readable(fieldOf(rendered, `Role/meshward-${resource}`, 'rules'))
        : [],
    )
    expect([...readable(fieldOf(rendered, 'ClusterRole/meshward', 'rules')), ...narrowed].toSorted()).toEqual(
      read.toSorted(),
    )
  })

  test('what is read beyond is added', async () => {
    const extraReads = [{ apiGroups: ['a.io'], resources: ['as', 'bs'] }]
    const rendered = await renderer.render({ policies: { disabled: ['*'], extraReads } })
    expect(readable(fieldOf(rendered, 'ClusterRole/meshward', 'rules'))).toEqual(['/namespaces', 'a.io/as', 'a.io/bs'])
  })
})
