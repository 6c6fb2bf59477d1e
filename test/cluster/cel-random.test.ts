import { array, integer, record, sample } from 'fast-check'
import { expect, test } from 'vitest'

import { judgeByApiServer } from './cel/judge-by-api-server.ts'
import { judgeByUs } from './cel/judge-by-us.ts'
import { randomExpression, randomSpec } from './cel/random-expression.ts'
import { installSubjects, SUBJECTS_PATH } from './cel/subjects.ts'
import { describeCluster } from './harness/describe-cluster.ts'

// Random expressions over random objects: the API server is the reference. CEL_SEED repeats a run, CEL_SUBJECTS widens it. Under `CI` the
// seed is always the same: a difference that chance finds must not stop somebody else's change; every other run draws a new one.

const SUBJECTS = Number(process.env['CEL_SUBJECTS'] ?? 500)
const PER_SUBJECT = 8
const SEED_OF_CI = 25

describeCluster('random expressions over random objects', (cluster) => {
  const drawn = process.env['CI'] === 'true' ? SEED_OF_CI : sample(integer({ min: 0 }), 1)[0]
  const seed = Number(process.env['CEL_SEED'] ?? drawn)

  test(`are judged as the API server judges them (seed ${seed})`, { timeout: 600_000 }, async () => {
    await installSubjects(cluster)
    const expressions = array(randomExpression, { minLength: PER_SUBJECT, maxLength: PER_SUBJECT })
    const samples = sample(record({ spec: randomSpec, expressions }), { numRuns: SUBJECTS, seed })
    const subjects = samples.map(({ spec, expressions: chosen }) => ({
      path: SUBJECTS_PATH,
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
