import { expect, test } from 'vitest'

import type { JsonObject } from '../../src/kube/json.ts'
import { judgeByApiServer } from './cel/judge-by-api-server.ts'
import { judgeByUs } from './cel/judge-by-us.ts'
import { EXPRESSIONS } from './cel/expressions.ts'
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

const PATH = '/apis/networking.istio.io/v1/namespaces/default/virtualservices'

/** Where we differ; `docs/cel.md` says why. */
const KNOWN: readonly string[] = []

describeCluster('expressions, judged by the API server and by us', (cluster) => {
  test('agree in whether they compile and in what they give, but where the documentation says', async () => {
    const theirs = await judgeByApiServer(cluster, 'table', [{ path: PATH, object, expressions: EXPRESSIONS }])
    const differences = EXPRESSIONS.flatMap((expression, index) => {
      const ours = judgeByUs(expression, object)
      return ours === theirs[index] ? [] : [`${expression}: there ${theirs[index]}, here ${ours}`]
    })
    expect(differences).toEqual(KNOWN)
  })
})
