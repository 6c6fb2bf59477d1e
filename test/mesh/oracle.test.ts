import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { scoreSidecarOracle } from '../../tools/conformance/sidecar-oracle.ts'

const CORPUS = join(import.meta.dirname, '../../../shared/corpus/istiod-oracle')

/** What has to agree with Istio's own control plane in every case, and how often each is asked at least. */
const QUESTIONS: Readonly<Record<string, number>> = {
  services: 260,
  sidecar: 1123,
  outboundPolicy: 1123,
  inbound: 3123,
  visibility: 7883,
  'destination rule': 6158,
  subsets: 6158,
  'effective policy': 7492,
  endpoints: 7492,
  'default retries': 260,
  routes: 5223,
  'other routes': 123,
  'access rules': 1459,
  access: 7163,
}

describe.skipIf(!existsSync(CORPUS))('the model agrees with istiod', () => {
  const score = existsSync(CORPUS) ? scoreSidecarOracle(CORPUS) : undefined

  test.each(Object.entries(QUESTIONS))('on %s', (question, asked) => {
    const differences = score?.differences.filter((difference) => difference.question === question)
    expect(differences).toEqual([])
    expect(score?.counts.get(question)?.asked).toBeGreaterThanOrEqual(asked)
  })
})
