import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { scoreAmbientOracle, scoreGatewayOracle } from '../../tools/conformance/gateways-ambient.ts'

const ORACLE = '../shared/corpus/istiod-oracle'

/** What Istio's control plane makes of 140 meshes; how often each question is asked. */
describe.skipIf(!existsSync(ORACLE))('Istio’s own answers', () => {
  test.each([
    [
      'about gateways',
      scoreGatewayOracle,
      {
        services: 62,
        'gateway servers': 80,
        listeners: 80,
        chains: 109,
        'gateway TLS': 140,
        names: 140,
        'connection routes': 140,
        'gateway routes': 91,
        'virtual hosts': 91,
        'unused gateways': 62,
        'bound hosts': 296,
        'unbound hosts': 62,
      },
    ],
    [
      'about ambient',
      scoreAmbientOracle,
      {
        services: 78,
        'service waypoints': 232,
        capture: 317,
        'services of pods': 317,
        'policies of pods': 317,
        'ambient mTLS': 317,
        'ztunnel access': 2049,
        'ztunnel policies': 149,
        'not sent to ztunnel': 78,
        waypoints: 66,
        'waypoint ports': 86,
        'policies that take effect nowhere': 78,
      },
    ],
  ] as const)('%s are ours', (_, score, asked) => {
    const { counts, differences } = score(ORACLE)
    expect(differences).toEqual([])
    expect(Object.fromEntries([...counts].map(([question, count]) => [question, count.asked]))).toEqual(asked)
  })
})
