import { expect, test } from 'vitest'

import { createApiClient, type ApiClient } from './cel/api-client.ts'
import { mutatedByUs } from './cel/mutated-by-us.ts'
import { MUTATIONS, type Mutation } from './cel/mutations.ts'
import { installSubjects, SUBJECTS_PATH } from './cel/subjects.ts'
import { asObject, type JsonObject } from '../../src/kube/json.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { eventually } from './harness/eventually.ts'

// Expressions of MutatingAdmissionPolicies, compared by the object that is stored.

const GROUP = '/apis/admissionregistration.k8s.io/v1'
const FIRST: Mutation = { patchType: 'ApplyConfiguration', expression: 'Object{}' }
const spec: JsonObject = { a: 1, m: { k: 'v' }, l: [1] }

/** What the API server stores of an object that a policy mutates, or why nothing. */
async function mutatedByApiServer(client: ApiClient, name: string, mutation: Mutation): Promise<unknown> {
  const installed = await client('POST', `${GROUP}/mutatingadmissionpolicies`, policy(name, mutation))
  if (installed?.code === 422) return 'does not compile'
  await client('POST', `${GROUP}/mutatingadmissionpolicybindings`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name },
  })
  const subject = { apiVersion: 'random.example.com/v1', kind: 'Subject', metadata: metadataOf(name), spec }
  return eventually({ what: `a mutation by ${name}`, within: 30_000 }, async () => {
    const answer = await client('POST', SUBJECTS_PATH, subject)
    if (answer === undefined || answer.code >= 300) return 'error'
    await client('DELETE', `${SUBJECTS_PATH}/${name}`)
    const { metadata, spec: stored, done } = answer.body
    // The last mutation of each policy says that it is in force.
    return done === true ? { labels: asObject(metadata)['labels'], spec: stored } : undefined
  })
}

function metadataOf(name: string): JsonObject {
  return { name, namespace: 'default', labels: { 'cel-batch': name } }
}

function policy(name: string, { patchType, expression }: Mutation): JsonObject {
  const done = {
    patchType: 'JSONPatch',
    jsonPatch: { expression: "[JSONPatch{op: 'add', path: '/done', value: true}]" },
  }
  const field = patchType === 'JSONPatch' ? 'jsonPatch' : 'applyConfiguration'
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: {
        objectSelector: { matchLabels: { 'cel-batch': name } },
        resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['CREATE'] }],
      },
      mutations: [{ patchType, [field]: { expression } }, done],
    },
  }
}

describeCluster('mutations, by the API server and by us', (cluster) => {
  test('store the same object', async () => {
    await installSubjects(cluster)
    const client = await createApiClient(cluster.client)
    // An object that is applied needs a schema, which the API server has a moment after it has the kind.
    await eventually({ what: 'the schema of subjects', within: 30_000 }, async () => {
      const outcome = await mutatedByApiServer(client, 'mutation-first', FIRST)
      return outcome === 'error' ? undefined : outcome
    })
    const names = MUTATIONS.map((_, index) => `mutation-${index}`)
    const theirs = await Promise.all(
      MUTATIONS.map(async (mutation, index) => {
        const outcome = await mutatedByApiServer(client, names[index] ?? '', mutation)
        return { ...mutation, outcome }
      }),
    )
    await Promise.all(
      ['mutation-first', ...names].flatMap((name) => [
        client('DELETE', `${GROUP}/mutatingadmissionpolicybindings/${name}`),
        client('DELETE', `${GROUP}/mutatingadmissionpolicies/${name}`),
      ]),
    )
    const ours = MUTATIONS.map((mutation, index) => {
      const outcome = mutatedByUs(mutation, { metadata: metadataOf(names[index] ?? ''), spec })
      return { ...mutation, outcome }
    })
    expect(ours).toEqual(theirs)
  })
})
