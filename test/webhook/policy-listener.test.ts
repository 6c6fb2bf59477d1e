import { pino } from 'pino'
import { expect, test } from 'vitest'

import { withEnforcement } from '../../src/policy/policy-set.ts'
import { openMesh } from '../../src/webhook/mesh-in-force.ts'
import { policyListener } from '../../src/webhook/policy-listener.ts'
import { createTestServer, testPolicies } from './test-server.ts'

function listen() {
  const logged: Record<string, unknown>[] = []
  const logger = pino({ base: null }, { write: (line) => logged.push(JSON.parse(line)) })
  const { metrics } = createTestServer()
  const options = { maxStaleness: 0, secretNamespace: [], recheckAfter: 0, istioNamespace: 'istio-system' }
  const listener = policyListener({ logger, metrics, mesh: openMesh(undefined, options, logger), events: undefined })
  /** The gauge and the counter about policies that are refused. */
  const counted = async () => {
    const text = await metrics.render()
    return ['policies_refused', 'policy_reload_errors_total'].map((name) =>
      Number(new RegExp(`^meshward_${name} (\\d+)$`, 'm').exec(text)?.[1]),
    )
  }
  return { listener, counted, logged }
}

const issue = {
  code: 'POLICY-SHAPE',
  file: 'a.yaml',
  line: 3,
  column: 7,
  message: 'unknown field "spek"; did you mean "spec"?',
}

test('what is refused shows until policies change again, whatever else is counted', async () => {
  const { listener, counted } = listen()
  const set = testPolicies()
  listener.changed(set, [])
  expect(await counted()).toEqual([0, 0])
  listener.refused([issue])
  listener.unreadable('mode says "maybe"')
  expect(await counted()).toEqual([1, 2])
  listener.changed(withEnforcement(set, 'warn'), [])
  expect(await counted()).toEqual([1, 2])
  listener.changed(testPolicies(), [])
  expect(await counted()).toEqual([0, 2])
})

test('what is refused is logged with its place, what is disabled in vain with a hint', () => {
  const { listener, logged } = listen()
  listener.refused([issue])
  listener.idle('no policy is called "MTLS-0"; did you mean "MTLS-02"?')
  const { message: reason, ...place } = issue
  expect(logged).toEqual([
    expect.objectContaining({
      level: 50,
      ...place,
      reason,
      msg: 'changed policies refused; the last good set stays in force',
    }),
    expect.objectContaining({
      level: 40,
      reason: 'no policy is called "MTLS-0"; did you mean "MTLS-02"?',
      msg: 'disabled policies are not there',
    }),
  ])
})
