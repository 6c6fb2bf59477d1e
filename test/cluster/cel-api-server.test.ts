import { expect, test } from 'vitest'

import { celValue, createBudget, createEnvironment } from '../../src/cel/environment.ts'
import { ADMISSION_VARIABLES } from '../../src/policy/admission-variables.ts'
import type { JsonObject } from '../../src/kube/json.ts'
import { judgeByApiServer, type Verdict } from './cel-judge.ts'
import { EXPRESSIONS } from './cel-expressions.ts'
import { describeCluster } from './harness/describe-cluster.ts'

// The API server is the reference of the dialect.

const object: JsonObject = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata: { name: 'subject', namespace: 'default' },
  spec: {
    hosts: ['a.example.com', 'b.example.com'],
    gateways: ['mesh'],
    http: [
      {
        name: 'first',
        timeout: '15s',
        retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx,reset' },
        route: [
          { destination: { host: 'a', port: { number: 80 } }, weight: 90 },
          { destination: { host: 'b' }, weight: 10 },
        ],
        match: [{ uri: { prefix: '/a' }, headers: { constructor: { exact: 'x' }, upgrade: { exact: 'websocket' } } }],
      },
      { route: [{ destination: { host: 'c' } }] },
    ],
  },
}

/** What the request is that the object comes in. */
const activation = {
  request: celValue({
    kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    resource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
    requestKind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    requestResource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
    name: 'subject',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
    dryRun: true,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
  }),
  namespaceObject: celValue({
    metadata: { name: 'default', labels: { 'kubernetes.io/metadata.name': 'default' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
}

/** Where we differ; `docs/cel.md` says why. */
const KNOWN: readonly string[] = []

describeCluster('expressions, judged by the API server and by us', (cluster) => {
  test('agree in whether they compile and in what they give, but where the documentation says', async () => {
    const theirs = await judgeByApiServer(cluster, EXPRESSIONS, object)
    const differences = EXPRESSIONS.flatMap((expression, index) => {
      const ours = judge(expression)
      return ours === theirs[index] ? [] : [`${expression}: there ${theirs[index]}, here ${ours}`]
    })
    expect(differences).toEqual(KNOWN)
  })
})

function judge(expression: string): Verdict {
  const environment = createEnvironment({ variables: ADMISSION_VARIABLES })
  const compiled = environment.compile(expression, { result: ['bool'] })
  if (!compiled.ok) return 'does not compile'
  const outcome = compiled.program.evaluate(
    { ...activation, object: celValue(object), oldObject: null },
    createBudget(),
  )
  return outcome.ok ? (outcome.value === true ? 'true' : 'false') : 'error'
}
