import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { createApiClient, type ApiClient } from '../src/sources/cluster/api-client.ts'
import type { Json, JsonObject } from '../src/kube/json.ts'
import { whyNoCluster } from '../test/cluster/harness/availability.ts'
import { startCluster, type Cluster } from '../test/cluster/harness/cluster.ts'
import { kubectlOutput } from '../test/cluster/harness/kubectl.ts'
import { startMeshward } from '../test/cluster/harness/meshward-server.ts'
import { registerWebhook } from '../test/cluster/harness/register-webhook.ts'
import { POLICIES_NAMESPACE, tenPolicies, webhookVariants } from './cluster/variants.ts'
import { virtualService } from './webhook/bodies.ts'
import { quantile } from './webhook/load.ts'
import { startServer } from './webhook/server-under-test.ts'
import { markdown } from './webhook/table.ts'

/*
 * npm run bench:cluster [-- --requests 400]
 * What a `kubectl apply` feels through a real API server: dry-run creates by one client, in turn through nothing, a
 * webhook that always allows, Meshward, and ten ValidatingAdmissionPolicies. Prints Markdown.
 */
const { values } = parseArgs({ options: { requests: { type: 'string', default: '400' } } })
const requests = Number(values.requests)
const SIZES = [4, 20, 470]

const reason = await whyNoCluster()
if (reason !== undefined) throw new Error(reason)
const allow = await startServer({
  name: 'always allows',
  path: '/validate',
  args: ['bench/webhook/baseline-server.ts', 'limit'],
})
const meshward = await startMeshward()
const cluster = await startCluster({ say: (line) => process.stderr.write(`${line}\n`) })
try {
  const namespaces = await install(cluster)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: join(import.meta.dirname, '..') })
  console.log(`Commit ${String(commit).trim()}, ${cpus().length} × ${cpus()[0]?.model}\n`)
  const api = createApiClient(cluster.client)
  const columns: (readonly number[])[] = []
  for (const routes of SIZES)
    columns.push(await addedByEach(api, [...namespaces.values()], virtualService(routes, '15s')))
  const sizes = SIZES.map((routes) => `${(JSON.stringify(virtualService(routes, '15s')).length / 1024).toFixed(1)} KB`)
  const rows = [...namespaces.keys()].map((name, row) => [
    name,
    ...columns.map((column) => column[row]?.toFixed(2) ?? ''),
  ])
  console.log(markdown(['added to the p50 of a create, ms (first row: the p50 itself)', ...sizes], rows))
} finally {
  await cluster.stop()
  await meshward.stop()
  await allow.stop()
}

/** Registers everything; the namespaces in which each variant is met, by name. */
async function install(cluster: Cluster): Promise<ReadonlyMap<string, string>> {
  const ca = allow.ca()
  const variants = webhookVariants({ url: `https://127.0.0.1:${allow.port}`, ca }, meshward)
  const namespaces = new Map([
    ...variants.map(({ name, namespace }) => [name, namespace] as const),
    ['ten ValidatingAdmissionPolicies', POLICIES_NAMESPACE] as const,
  ])
  const items: Json = [
    ...[...namespaces.values()].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...tenPolicies(),
  ]
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  await kubectlOutput(cluster.kubectl, ['create', '-f', '-'], { stdin })
  await registerWebhook(cluster, {
    name: 'bench',
    validating: variants.flatMap(({ validating }) => validating),
    mutating: variants.flatMap(({ mutating }) => mutating),
  })
  return namespaces
}

/** The p50 of the first namespace in milliseconds, and what each other one adds to it. All in turn, request by request. */
async function addedByEach(
  api: ApiClient,
  namespaces: readonly string[],
  object: JsonObject,
): Promise<readonly number[]> {
  const times = namespaces.map((): number[] => [])
  for (let round = -50; round < requests; round += 1) {
    for (const [index, namespace] of namespaces.entries()) {
      const started = performance.now()
      await create(api, namespace, object)
      // The first rounds warm up.
      if (round >= 0) times[index]?.push(performance.now() - started)
    }
  }
  const [first = Number.NaN, ...others] = times.map((each) => quantile(Float64Array.from(each).sort(), 0.5))
  return [first, ...others.map((p50) => p50 - first)]
}

async function create(api: ApiClient, namespace: string, object: JsonObject): Promise<void> {
  const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices?dryRun=All`
  const { status, body } = await api.send('POST', path, { body: { ...object, metadata: { name: 'bench', namespace } } })
  if (status !== 201) throw new Error(`HTTP ${status}: ${JSON.stringify(body).slice(0, 1000)}`)
}
