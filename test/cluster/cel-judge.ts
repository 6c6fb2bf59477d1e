import type { Json, JsonObject } from '../../src/kube/json.ts'
import type { ClusterAccess } from './harness/cluster-access.ts'
import { eventually } from './harness/eventually.ts'
import { kubectlOutput } from './harness/kubectl.ts'

/** What an expression gives: true, false, an error when it is evaluated, or nothing because it does not compile. */
export type Verdict = 'true' | 'false' | 'error' | 'does not compile'

/** The API server keeps 4 KiB of warnings of one request, so a policy holds only so many expressions. */
const PER_POLICY = 8

/**
 * What the API server itself makes of expressions over an object, each installed as a validation of a
 * ValidatingAdmissionPolicy that warns: false is a warning with the index, an error one with its reason.
 */
export async function judgeByApiServer(
  cluster: ClusterAccess,
  expressions: readonly string[],
  object: JsonObject,
): Promise<readonly Verdict[]> {
  const refused = await refusedExpressions(cluster, expressions)
  const verdicts: Verdict[] = expressions.map((_, index) => (refused.has(index) ? 'does not compile' : 'true'))
  const rest = [...expressions.keys()].filter((index) => !refused.has(index))
  const batches: number[][] = []
  for (let at = 0; at < rest.length; at += PER_POLICY) batches.push(rest.slice(at, at + PER_POLICY))
  await install(cluster, expressions, batches)
  for (const [number, batch] of batches.entries()) {
    const warnings = await warningsFor(cluster, number, object)
    for (const [place, index] of batch.entries()) {
      const source = expressions[index] ?? ''
      if (warnings.some((line) => line.includes(`resulted in error`) && line.includes(`'${oneLine(source)}'`)))
        verdicts[index] = 'error'
      else if (warnings.some((line) => line.endsWith(`: verdict-${place}-`))) verdicts[index] = 'false'
    }
  }
  return verdicts
}

async function refusedExpressions(
  cluster: ClusterAccess,
  expressions: readonly string[],
): Promise<ReadonlySet<number>> {
  const refused = new Set<number>()
  for (let at = 0; at < expressions.length; at += 50) {
    const part = expressions.slice(at, at + 50)
    const { stderr } = await cluster.kubectl(['create', '--dry-run=server', '-f', '-'], {
      stdin: JSON.stringify(policy('compile', part, 0)),
    })
    for (const [, index] of stderr.matchAll(/spec\.validations\[(\d+)\]\.expression/g)) refused.add(at + Number(index))
  }
  return refused
}

async function install(
  cluster: ClusterAccess,
  expressions: readonly string[],
  batches: readonly (readonly number[])[],
): Promise<void> {
  const items = batches.flatMap((batch, number) => {
    const name = `cel-${number}`
    return [
      policy(
        name,
        batch.map((index) => expressions[index] ?? ''),
        number,
      ),
      binding(name),
    ]
  })
  // The last one says when all are in force.
  items.push(policy('cel-probe', ['false'], batches.length), binding('cel-probe'))
  await kubectlOutput(cluster.kubectl, ['apply', '-f', '-'], {
    stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  })
}

async function warningsFor(cluster: ClusterAccess, batch: number, object: JsonObject): Promise<readonly string[]> {
  const labelled = {
    ...object,
    metadata: { name: 'subject', namespace: 'default', labels: { 'cel-batch': String(batch) } },
  }
  const stdin = JSON.stringify(labelled)
  return eventually({ what: `the verdicts of batch ${batch}`, within: 20_000 }, async () => {
    const { stderr } = await cluster.kubectl(['create', '--dry-run=server', '--validate=ignore', '-f', '-'], { stdin })
    const lines = stderr.split('\n').filter((line) => line.startsWith('Warning: '))
    // Each policy ends with a validation that is always false, so silence means that it is not in force yet.
    return lines.some((line) => line.includes('verdict-end-')) ? lines : undefined
  })
}

function policy(name: string, expressions: readonly string[], batch: number): JsonObject {
  const validations: Json = expressions.map((expression, place) => ({ expression, message: `verdict-${place}-` }))
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        objectSelector: { matchLabels: { 'cel-batch': String(batch) } },
        resourceRules: [
          {
            apiGroups: ['networking.istio.io'],
            apiVersions: ['*'],
            resources: ['virtualservices'],
            operations: ['CREATE'],
          },
        ],
      },
      validations: [
        ...(Array.isArray(validations) ? validations : []),
        { expression: 'false', message: 'verdict-end-' },
      ],
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

function oneLine(source: string): string {
  return source.trim()
}
