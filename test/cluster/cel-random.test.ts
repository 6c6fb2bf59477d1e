import { array, integer, record, sample } from 'fast-check'
import { expect, test } from 'vitest'

import { judgeByApiServer } from './cel/judge-by-api-server.ts'
import { judgeByUs } from './cel/judge-by-us.ts'
import { randomExpression, randomSpec } from './cel/random-expression.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { kubectlOutput } from './harness/kubectl.ts'

// Random expressions over random objects: the API server is the reference. CEL_SEED repeats a run, CEL_SUBJECTS widens it.

const SUBJECTS = Number(process.env['CEL_SUBJECTS'] ?? 500)
const PER_SUBJECT = 8

/** Objects of any shape, which no schema prunes. */
const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'subjects.random.example.com' },
  spec: {
    group: 'random.example.com',
    scope: 'Namespaced',
    names: { kind: 'Subject', plural: 'subjects', singular: 'subject' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

const PATH = '/apis/random.example.com/v1/namespaces/default/subjects'

describeCluster('random expressions over random objects', (cluster) => {
  const seed = Number(process.env['CEL_SEED'] ?? sample(integer({ min: 0 }), 1)[0])

  test(`are judged as the API server judges them (seed ${seed})`, { timeout: 600_000 }, async () => {
    await kubectlOutput(cluster.kubectl, ['apply', '-f', '-'], { stdin: JSON.stringify(DEFINITION) })
    await kubectlOutput(cluster.kubectl, ['wait', '--for=condition=Established', `crd/${DEFINITION.metadata.name}`])
    const expressions = array(randomExpression, { minLength: PER_SUBJECT, maxLength: PER_SUBJECT })
    const samples = sample(record({ spec: randomSpec, expressions }), { numRuns: SUBJECTS, seed })
    const subjects = samples.map(({ spec, expressions: chosen }) => ({
      path: PATH,
      object: { apiVersion: 'random.example.com/v1', kind: 'Subject', spec },
      expressions: chosen,
    }))
    const theirs = await judgeByApiServer(cluster, `random-${seed}`, subjects)
    const differences = subjects
      .flatMap(({ object, expressions: chosen }) => chosen.map((expression) => ({ expression, object })))
      .flatMap(({ expression, object }, place) => {
        const ours = judgeByUs(expression, object)
        // Where the API server panics there is nothing to agree with: docs/cel.md says with what.
        return ours === theirs[place] || theirs[place] === 'panics'
          ? []
          : [{ expression, theirs: theirs[place], ours, spec: object.spec }]
      })
    expect(differences).toEqual([])
  })
})
