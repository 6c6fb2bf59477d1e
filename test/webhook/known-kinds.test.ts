import { createServer } from 'node:http'

import { KubeConfig } from '@kubernetes/client-node'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'

import type { Json, JsonObject } from '../../src/kube/json.ts'
import { createApiClient } from '../../src/sources/cluster/api-client.ts'
import { readKnownKinds, type KnownKindsOutcome } from '../../src/webhook/known-kinds.ts'

const CRDS = 'test/cli/fixtures/crds'

/** The document of a group with one kind. */
function documentOf(group: string, version: string, kind: string, resource: string): JsonObject {
  const described = { group, version, kind }
  return {
    openapi: '3.0.0',
    paths: { [`/apis/${group}/${version}/${resource}`]: { post: { 'x-kubernetes-group-version-kind': described } } },
    components: { schemas: { [kind]: { type: 'object', 'x-kubernetes-group-version-kind': [described] } } },
  }
}

const CLUSTER: Readonly<Record<string, Json>> = {
  '/openapi/v3': { paths: { version: {}, 'apis/example.io': {}, 'apis/example.io/v1': {}, 'apis/other.io/v1': {} } },
  '/openapi/v3/apis/example.io/v1': documentOf('example.io', 'v1', 'Thing', 'things'),
}

const closers: (() => void)[] = []
afterEach(() => closers.splice(0).forEach((close) => close()))

/** What a server knows that is connected to an API server with these answers, and what it logs. */
async function known(
  answers: Readonly<Record<string, Json>>,
  options: { readonly crds?: readonly string[]; readonly strictTypes?: boolean } = {},
): Promise<{ readonly outcome: KnownKindsOutcome; readonly asked: readonly string[]; readonly log: string }> {
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    response.writeHead(answers[url] === undefined ? 403 : 200).end(JSON.stringify(answers[url] ?? null))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close())
  const address = server.address()
  const config = new KubeConfig()
  const port = typeof address === 'object' ? address?.port : undefined
  config.loadFromClusterAndUser(
    { name: 'fake', server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: 'nobody' },
  )
  let log = ''
  const outcome = await readKnownKinds(
    { crds: [], policies: [], ...options },
    {
      connection: { api: createApiClient(config) },
      shippedPolicies: 'test/cli/fixtures/policies',
      logger: pino({ base: null, timestamp: false }, { write: (line: string) => void (log += line) }),
    },
  )
  return { outcome, asked, log }
}

function namesOf(outcome: KnownKindsOutcome): readonly string[] {
  return outcome.ok ? outcome.schemas.map(({ group, version, kind }) => `${group}/${version} ${kind}`) : outcome.reasons
}

describe('the kinds that a server knows', () => {
  test('are those of the groups that its policies are about', async () => {
    const { outcome, asked, log } = await known(CLUSTER)
    expect(namesOf(outcome)).toEqual(['example.io/v1 Thing'])
    expect(asked).toEqual(['/openapi/v3', '/openapi/v3/apis/example.io/v1'])
    expect(log).toBe('')
  })

  test('are the ones of a file where it has them too', async () => {
    const { outcome } = await known(CLUSTER, { crds: [CRDS] })
    expect(outcome.ok ? outcome.schemas.map(({ definitions }) => definitions) : []).toEqual([{}])
  })

  test('are none where the cluster does not say', async () => {
    const { outcome, log } = await known({})
    expect(namesOf(outcome)).toEqual([])
    expect(JSON.parse(log)).toEqual({
      level: 40,
      reason: 'the API server answers /openapi/v3 with 403',
      msg: 'schemas of the cluster cannot be read; fields in policies are not checked by them',
    })
  })

  test('must be known under --strict-types', async () => {
    const { outcome } = await known({}, { strictTypes: true })
    expect(outcome).toEqual({ ok: false, reasons: ['--strict-types: the API server answers /openapi/v3 with 403'] })
  })

  test('need a file that has some', async () => {
    const { outcome, asked } = await known(CLUSTER, { crds: ['nowhere.yaml'] })
    expect(outcome).toEqual({
      ok: false,
      reasons: ['nowhere.yaml: FILE-01: there is no such file or folder; check the path'],
    })
    expect(asked).toEqual([])
  })
})
