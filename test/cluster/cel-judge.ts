import type { JsonObject } from '../../src/kube/json.ts'
import type { ClusterAccess } from './harness/cluster-access.ts'
import { eventually } from './harness/eventually.ts'
import { kubectlOutput } from './harness/kubectl.ts'

/** What an expression gives: true, false, an error when it is evaluated, or nothing because it does not compile. */
export type Verdict = 'true' | 'false' | 'error' | 'does not compile'

/** The API server keeps 4 KiB of warnings of one request, so a policy holds only so many expressions. */
const PER_POLICY = 8

/** How many expressions are compiled, and how many policies installed, by one request. */
const PER_REQUEST = 50

/** An object, and the expressions to be judged over it. */
export interface Subject {
  readonly object: JsonObject
  readonly expressions: readonly string[]
}

/** Places of expressions in the whole run that are validations of one policy, and the object that is sent through it. */
interface Batch {
  readonly name: string
  readonly object: JsonObject
  readonly places: readonly number[]
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
  const sources = subjects.flatMap(({ expressions }) => expressions)
  const refused = await refusedExpressions(cluster, sources)
  const verdicts: Verdict[] = sources.map((_, place) => (refused.has(place) ? 'does not compile' : 'true'))
  const batches = toBatches(run, subjects, refused)
  await install(cluster, batches, sources)
  for (const batch of batches) {
    const warnings = await warningsFor(cluster, batch)
    for (const [index, place] of batch.places.entries()) {
      const source = sources[place]?.trim() ?? ''
      if (warnings.some((line) => line.includes('resulted in error') && line.includes(`'${source}'`)))
        verdicts[place] = 'error'
      else if (warnings.some((line) => line.endsWith(`: verdict-${index}-`))) verdicts[place] = 'false'
    }
  }
  return verdicts
}

function toBatches(run: string, subjects: readonly Subject[], refused: ReadonlySet<number>): readonly Batch[] {
  const batches: Batch[] = []
  let before = 0
  for (const { object, expressions } of subjects) {
    const start = before
    const places = expressions.map((_, index) => start + index).filter((place) => !refused.has(place))
    for (let at = 0; at < places.length; at += PER_POLICY)
      batches.push({ name: `cel-${run}-${batches.length}`, object, places: places.slice(at, at + PER_POLICY) })
    before += expressions.length
  }
  return batches
}

/** The API server does not name everything that is wrong in one answer, so it is asked until it takes the rest. */
async function refusedExpressions(cluster: ClusterAccess, sources: readonly string[]): Promise<ReadonlySet<number>> {
  const refused = new Set<number>()
  for (let at = 0; at < sources.length; at += PER_REQUEST) {
    let left = sources.slice(at, at + PER_REQUEST).map((_, index) => at + index)
    for (let before = -1; before !== refused.size;) {
      before = refused.size
      const { stderr } = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], {
        stdin: JSON.stringify(
          policy(
            'cel-compile',
            left.map((place) => sources[place] ?? ''),
          ),
        ),
      })
      for (const [, index] of stderr.matchAll(/spec\.validations\[(\d+)\]\.expression/g)) {
        const place = left[Number(index)]
        if (place !== undefined) refused.add(place)
      }
      left = left.filter((place) => !refused.has(place))
    }
  }
  return refused
}

async function install(cluster: ClusterAccess, batches: readonly Batch[], sources: readonly string[]): Promise<void> {
  for (let at = 0; at < batches.length; at += PER_REQUEST) {
    const items = batches.slice(at, at + PER_REQUEST).flatMap(({ name, places }) => [
      policy(
        name,
        places.map((place) => sources[place] ?? ''),
      ),
      binding(name),
    ])
    await kubectlOutput(cluster.kubectl, ['apply', '-f', '-'], {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    })
  }
}

async function warningsFor(cluster: ClusterAccess, { name, object }: Batch): Promise<readonly string[]> {
  const stdin = JSON.stringify({
    ...object,
    metadata: { name: 'subject', namespace: 'default', labels: { 'cel-batch': name } },
  })
  return eventually({ what: `the verdicts of ${name}`, within: 20_000 }, async () => {
    const { stderr } = await cluster.kubectl(['create', '--dry-run=server', '--validate=ignore', '-f', '-'], { stdin })
    const lines = stderr.split('\n').filter((line) => line.startsWith('Warning: '))
    // Each policy ends with a validation that is always false, so silence means that it is not in force yet.
    return lines.some((line) => line.includes('verdict-end-')) ? lines : undefined
  })
}

function policy(name: string, expressions: readonly string[]): JsonObject {
  const validations = expressions.map((expression, place) => ({ expression, message: `verdict-${place}-` }))
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
