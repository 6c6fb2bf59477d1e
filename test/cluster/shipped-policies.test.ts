import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { asObject, type JsonObject } from '../../src/kube/json.ts'
import { nameOf, namespaceOf } from '../../src/kube/object.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { readPolicyTests, type PolicyTest } from '../../src/policy/policy-tests.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import type { KubectlResult } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'

// Every shipped policy, by its own examples, as `kubectl create` meets it: with all other policies in force.

/** kubectl takes a good tenth of a second; this many examples of each kind show that a rule holds behind a real API server. */
const MOST_EXAMPLES = 4

const folder = join(import.meta.dirname, '../../policies')
const { policies } = readPolicies([folder], createPolicyCompiler(MESH_FUNCTIONS))
const alone = policies.filter(({ program }) => program !== undefined && program.functions.size === 0)
const plain = alone.map((policy) => ({ code: policy.code, policy, examples: examplesOf(policy) }))

describeCluster('the shipped policies behind the API server', (cluster) => {
  let meshward: MeshwardServer
  let registration: Registration

  beforeAll(async () => {
    for (const namespace of namespacesOf(plain.flatMap(({ examples }) => examples))) {
      await cluster.kubectl(['create', 'namespace', namespace])
      // Without a controller manager nobody makes it, and no Pod is created without.
      await cluster.kubectl(['create', 'serviceaccount', 'default', '-n', namespace])
    }
    meshward = await startMeshward()
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
  })

  const create = (object: JsonObject, namespace: string): Promise<KubectlResult> =>
    cluster.kubectl(
      [
        'create',
        '--dry-run=server',
        '--validate=ignore',
        '-o',
        'yaml',
        '-n',
        namespaceOf(object) || namespace,
        '-f',
        '-',
      ],
      {
        stdin: JSON.stringify(creatable(object)),
      },
    )

  test.each(plain)('$code answers for its own wrong examples', async ({ code, examples }) => {
    const wrong = examples.filter(({ findings }) => (findings?.length ?? 0) > 0).slice(0, MOST_EXAMPLES)
    const answers: string[] = []
    for (const { object, namespace, name } of wrong) {
      if (object === null) continue
      const { stdout, stderr } = await create(object, namespace)
      const answer = answerOf(code, stdout, stderr)
      answers.push(answer)
      // What the schema of the CRD refuses, or another default has completed, never reaches the rule.
      if (answer === 'nothing') expect.fail(`${name}: ${stderr || 'accepted without a word'}`)
    }
    expect(answers.filter((answer) => answer === 'denied' || answer === 'warned' || answer === 'filled')).not.toEqual(
      [],
    )
  })

  test.each(plain)('$code says nothing about its own right examples', async ({ code, examples }) => {
    // The API server makes empty strings of nulls in maps of strings before anybody sees them.
    const asWritten = examples.filter(({ object }) => !JSON.stringify(object).includes(':null'))
    const right = asWritten.filter(({ findings }) => findings?.length === 0).slice(0, MOST_EXAMPLES)
    for (const { object, namespace, name } of right) {
      if (object === null) continue
      const { stdout, stderr } = await create(object, namespace)
      expect([name, answerOf(code, stdout, stderr)]).not.toEqual([name, 'denied'])
      expect([name, answerOf(code, stdout, stderr)]).not.toEqual([name, 'warned'])
    }
  })
})

/** What came of an object, as far as one rule is concerned. */
function answerOf(
  code: string,
  stdout: string,
  stderr: string,
): 'denied' | 'warned' | 'filled' | 'refused by the schema' | 'nothing' {
  const lines = stderr.split('\n')
  if (stderr.includes('denied the request') && lines.some((line) => line.trimStart().startsWith(`${code} `)))
    return 'denied'
  if (lines.some((line) => line.startsWith(`Warning: ${code} `) && !line.includes('was absent'))) return 'warned'
  if (stdout.includes(`"code":"${code}"`) || lines.some((line) => line.startsWith(`Warning: ${code} `))) return 'filled'
  if (
    stderr.includes('is invalid') ||
    stderr.includes('cannot be handled as') ||
    stderr.includes('BadRequest') ||
    stderr.includes('unable to decode')
  )
    return 'refused by the schema'
  return 'nothing'
}

function examplesOf(policy: Policy): readonly PolicyTest[] {
  const file = join(dirname(policy.source.file), 'tests.yaml')
  const [outcome] = parseYamlDocuments(readFileSync(file, 'utf8'))
  const read = outcome?.ok === true ? readPolicyTests(outcome.document, file) : undefined
  const examples = read?.ok === true ? read.tests : []
  return examples.filter(isPlain)
}

/** Examples of Pods show what a rule reads; the API server wants a container too. */
function creatable(object: JsonObject): JsonObject {
  if (object.kind !== 'Pod') return object
  return { ...object, spec: { containers: [{ name: 'app', image: 'app' }], ...asObject(object.spec) } }
}

/** An example that a person could create as it stands: nothing but an object. */
function isPlain({ operation, object, params, user, filled }: PolicyTest): boolean {
  const bound = Object.keys(params).length > 0 || user.username !== '' || user.groups.length > 0
  return operation === 'CREATE' && object !== null && !bound && filled === undefined && nameOf(object) !== ''
}

function namespacesOf(examples: readonly PolicyTest[]): ReadonlySet<string> {
  const names = examples.map(({ object, namespace }) => namespaceOf(asObject(object)) || namespace)
  return new Set(names.filter((name) => !name.startsWith('kube-') && name !== 'default'))
}
