import { KINDS } from '../../src/mesh/kinds.ts'
import { emptySnapshot } from '../../src/mesh/snapshot.ts'
import { fixedSource } from '../../src/sources/source.ts'
import { createGate } from '../../src/webhook/admission-gate.ts'
import { createMetrics } from '../../src/webhook/metrics.ts'
import { sampleDecision, sampleFilled, sampleFinding } from '../webhook/sample-decision.ts'
import { testPolicies } from '../webhook/test-server.ts'

const SYNCED = { kind: KINDS.service, state: 'synced', lastContact: 1, trouble: '', failures: 0, leftOut: 0 } as const

/** Every sample that a server exports, by name, with the labels that it has: from a server's own registry. */
export async function exportedMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const metrics = createMetrics({
    version: '1.2.3',
    gate: createGate({ requests: 1, bytes: 1 }),
    policies: fixedSource(testPolicies()),
    mesh: {
      ...fixedSource(emptySnapshot()),
      status: () => [SYNCED],
      staleness: () => 1,
    },
    cluster: {
      isLeader: () => true,
      webhooks: () => ({ validating: 'synced', mutating: 'contested' }),
      authorityEnd: () => 1,
    },
    certificateExpiry: () => new Date(1),
  })
  const kind = { group: 'security.istio.io', version: 'v1', kind: 'PeerAuthentication' }
  const request = {
    uid: 'uid-1',
    operation: 'CREATE',
    kind,
    resource: { group: kind.group, version: kind.version, resource: 'peerauthentications' },
    subResource: '',
    name: 'default',
    namespace: 'shop',
    object: {},
    oldObject: null,
    userInfo: { username: 'jane', groups: [] },
    dryRun: false,
  } as const
  const findings = [sampleFinding(), sampleFinding({ outcome: 'error' })]
  metrics.decided('validate', request, sampleDecision({ findings, filled: [sampleFilled()] }), 0.001)
  metrics.refused('/validate', 503)
  metrics.rechecked('RES-01')
  return samplesOf(await metrics.render())
}

/** The text format of Prometheus: `name{label="value",…} number`. */
function samplesOf(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const samples = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const [, name, labels = ''] = /^([a-z0-9_]+)(?:\{(.*)\})? \S+$/i.exec(line) ?? []
    if (name === undefined) continue
    const known = samples.get(name) ?? new Set()
    for (const [, label] of labels.matchAll(/([a-z0-9_]+)="/g)) if (label !== undefined) known.add(label)
    samples.set(name, known)
  }
  return samples
}
