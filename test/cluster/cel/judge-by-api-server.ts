import { asList, asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import type { ClusterAccess } from '../harness/cluster-access.ts'
import { eventually } from '../harness/eventually.ts'
import { createApiClient, type ApiClient } from './api-client.ts'

/**
 * What an expression gives: true, false, an error when it is evaluated, or nothing because it does not compile, or
 * because the API server panics while it compiles it.
 */
export type Verdict = 'true' | 'false' | 'error' | 'does not compile' | 'panics'

/** The API server keeps 4 KiB of warnings of one request, so a policy holds only so many expressions. */
const PER_POLICY = 8

/** How many requests wait for their answers at a time. */
const AT_ONCE = 4

/** An object, where such objects are created, and the expressions to be judged over it. */
export interface Subject {
  readonly path: string
  readonly object: JsonObject
  readonly expressions: readonly string[]
}

/** Expressions that are validations of one policy, and what is known of each of them. */
interface Batch {
  readonly name: string
  readonly subject: Subject
  readonly expressions: readonly string[]
  readonly verdicts: Verdict[]
}

/**
 * What the API server itself makes of expressions over objects, each installed as a validation of a
 * ValidatingAdmissionPolicy that warns: false is a warning with the index, an error one with its reason.
 * The verdicts are in order, subject by subject. `run` keeps the policies of several runs apart.
 */
export async function judgeByApiServer(
  cluster: ClusterAccess,
  run: string,
  subjects: readonly Subject[],
): Promise<readonly Verdict[]> {
  const client = await createApiClient(cluster.client)
  const batches = subjects.flatMap(toBatches).map((batch, index) => ({ ...batch, name: `cel-${run}-${index}` }))
  await inTurns(batches, (batch) => install(client, batch))
  await inTurns(batches, (batch) => readVerdicts(client, batch))
  await inTurns(batches, async ({ name }) => {
    await client('DELETE', `${BINDINGS}/${name}`)
    await client('DELETE', `${POLICIES}/${name}`)
  })
  return batches.flatMap(({ verdicts }) => verdicts)
}

async function inTurns(batches: readonly Batch[], task: (batch: Batch) => Promise<void>): Promise<void> {
  const left = [...batches]
  const work = async (): Promise<void> => {
    for (let batch = left.shift(); batch !== undefined; batch = left.shift()) await task(batch)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

function toBatches(subject: Subject): readonly Omit<Batch, 'name'>[] {
  const starts = Array.from({ length: Math.ceil(subject.expressions.length / PER_POLICY) }, (_, at) => at * PER_POLICY)
  return starts.map((start) => {
    const expressions = subject.expressions.slice(start, start + PER_POLICY)
    return { subject, expressions, verdicts: expressions.map(() => 'true') }
  })
}

const POLICIES = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const BINDINGS = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'

/** Installs the policy of a batch without the expressions that cannot be, and its binding. */
async function install(client: ApiClient, batch: Batch): Promise<void> {
  await refuse(client, batch, [...batch.expressions.keys()])
  await create(client, POLICIES, policy(batch, [...compiling(batch)]))
  await create(client, BINDINGS, binding(batch.name))
}

function compiling({ verdicts }: Batch): readonly number[] {
  return [...verdicts.keys()].filter((place) => verdicts[place] === 'true')
}

/**
 * Finds out which of these expressions do not compile. The API server does not name everything that is wrong in one
 * answer, so it is asked until it takes the rest; where it panics, about each half.
 */
async function refuse(client: ApiClient, batch: Batch, places: readonly number[]): Promise<void> {
  if (places.length === 0) return
  const answer = await client('POST', `${POLICIES}?dryRun=All`, policy(batch, places))
  if (answer === undefined) {
    const half = Math.ceil(places.length / 2)
    for (const part of [places.slice(0, half), places.slice(half)]) {
      if (places.length > 1) await refuse(client, batch, part)
      else batch.verdicts[places[0] ?? 0] = 'panics'
    }
    return
  }
  if (answer.code < 300) return
  const refused = asList(asObject(answer.body['details'])['causes']).flatMap(
    (cause) => places[indexOf(asObject(cause)['field'])] ?? [],
  )
  if (refused.length === 0) throw new Error(`the API server refused a policy: ${JSON.stringify(answer.body)}`)
  for (const place of refused) batch.verdicts[place] = 'does not compile'
  await refuse(
    client,
    batch,
    places.filter((place) => !refused.includes(place)),
  )
}

/** The 7 of `spec.validations[7].expression`. */
function indexOf(field: Json | undefined): number {
  return Number(typeof field === 'string' ? /^spec\.validations\[(\d+)\]\.expression$/.exec(field)?.[1] : undefined)
}

async function create(client: ApiClient, path: string, body: JsonObject): Promise<void> {
  const answer = await client('POST', path, body)
  if (answer === undefined || answer.code >= 300)
    throw new Error(`the API server did not take ${path}: ${JSON.stringify(answer?.body)}`)
}

async function readVerdicts(client: ApiClient, batch: Batch): Promise<void> {
  const warnings = await warningsFor(client, batch)
  for (const place of compiling(batch)) {
    const source = batch.expressions[place]?.trim() ?? ''
    if (warnings.some((line) => line.includes('resulted in error') && line.includes(`'${source}'`)))
      batch.verdicts[place] = 'error'
    else if (warnings.some((line) => line.endsWith(`: verdict-${place}-`))) batch.verdicts[place] = 'false'
  }
}

function warningsFor(client: ApiClient, { name, subject }: Batch): Promise<readonly string[]> {
  const metadata = { name: 'subject', namespace: 'default', labels: { 'cel-batch': name } }
  return eventually({ what: `the verdicts of ${name}`, within: 30_000 }, async () => {
    const answer = await client('POST', `${subject.path}?dryRun=All&fieldManager=kubectl-create`, {
      ...subject.object,
      metadata,
    })
    if (answer !== undefined && answer.code >= 300)
      throw new Error(`the API server refused the object: ${JSON.stringify(answer.body)}`)
    // Each policy ends with a validation that is always false, so silence means that it is not in force yet.
    return answer?.warnings.some((line) => line.includes('verdict-end-')) === true ? answer.warnings : undefined
  })
}

function policy({ name, expressions }: Batch, places: readonly number[]): JsonObject {
  const validations = places.map((place) => ({
    expression: expressions[place] ?? '',
    message: `verdict-${place}-`,
  }))
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        objectSelector: { matchLabels: { 'cel-batch': name } },
        resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['CREATE'] }],
      },
      validations: [...validations, { expression: 'false', message: 'verdict-end-' }],
    },
  }
}

function binding(name: string): JsonObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Warn'] },
  }
}
