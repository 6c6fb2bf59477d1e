import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { createAdmissionLoad, createPoster, type AdmissionLoad, type Outage } from './admission-load.ts'
import { openInstallation, type Installation } from './installation.ts'
import { bad, good, marked, marking } from './shop.ts'

// Eight clients at once, while everything happens to Meshward that happens to it in its life.

const CLIENTS = 8

/** Milliseconds; without, they take the two processors of a small machine from the pods that start. */
const PAUSE = 15

/** Milliseconds for one of the events below, on a machine that has other work. */
const LONG = 180_000

/** Applies over the whole file. */
const APPLIES = 10_000

/**
 * Authorities that are replaced after 13 s, and leaves that are replaced after 3 s. What is left of their time is for a
 * leader that is killed, or an API server that is away: nothing rotates meanwhile.
 */
const SHORT_LIVED = ['caValidity=150s', 'leafValidity=140s', 'rotateBefore=137s'].flatMap((value) => [
  '--set',
  `certificates.self.${value}`,
])

describeNodes('Meshward under load', () => {
  let site: Installation
  let load: AdmissionLoad
  let total = 0

  /** Everything is answered, and right, while something goes on. Returns how many were sent again. */
  const answersWhile = async (deed: (outage: Outage) => Promise<unknown>, atLeast = 0): Promise<number> => {
    const { answered, wrong, unreachable } = await load.during(deed, atLeast)
    total += answered
    expect(wrong).toEqual([])
    expect(answered).toBeGreaterThan(0)
    return unreachable
  }

  const anotherLeader = (before: string, within: number): Promise<string> =>
    eventually({ what: 'another leader', within, every: 500 }, async () => {
      const now = await site.leader()
      return now === '' || now === before ? undefined : now
    })
  const secret = (key: string): Promise<string> =>
    site.kubectl('get', 'secret', 'meshward-tls', '-o', `jsonpath={.data.${key.replace('.', '\\.')}}`)

  /** Waits until so many different values were seen. */
  const changes = async (times: number, read: () => Promise<string>): Promise<void> => {
    const seen = new Set([await read()])
    await eventually({ what: `change ${times}`, within: 60_000, every: 500 }, async () =>
      seen.add(await read()).size > times ? true : undefined,
    )
  }

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    await site.cluster.kubectl(['create', 'namespace', 'shop'])
    await site.install(...SHORT_LIVED)
    await site.enforced()
    await site.rolledOut()
    load = createAdmissionLoad({
      client: site.cluster.client,
      concurrency: CLIENTS,
      samples: [good, bad],
      pause: PAUSE,
    })
  })
  afterAll(() => site?.cluster.stop())

  test(
    'CA and leaf rotate every few seconds under load with 2 replicas: no failed admission',
    async () => {
      expect(
        await answersWhile(() =>
          Promise.all([changes(2, () => secret('ca.crt')), changes(4, () => secret('tls.crt'))]),
        ),
      ).toBe(0)
    },
    LONG,
  )

  test(
    'three rolling updates lose nothing',
    async () => {
      const roll = async (): Promise<void> => {
        for (const round of ['1', '2', '3']) {
          await site.upgrade(...SHORT_LIVED, '--set-string', `podAnnotations.round=${round}`)
          await site.rolledOut()
        }
      }
      expect(await answersWhile(roll)).toBe(0)
    },
    LONG,
  )

  test(
    'policies that are reloaded leave no request without its answer',
    async () => {
      const post = createPoster(site.cluster.client)
      const reload = async (): Promise<void> => {
        for (const round of ['first', 'second', 'third', 'fourth']) {
          await site.upgrade(
            '--reuse-values',
            '--set-json',
            `policies.own=${JSON.stringify({ 'own.yaml': marking(round) })}`,
          )
          await eventually({ what: `the ${round} policy`, within: 20_000, every: 200 }, async () =>
            (await post(marked)).warnings.includes(`OWN-01 metadata.name: ${round}`) ? true : undefined,
          )
        }
      }
      expect(await answersWhile(reload)).toBe(0)
    },
    LONG,
  )

  test(
    'an API server that restarts is told from a Meshward that fails',
    async () => {
      const restarted = (outage: Outage): Promise<void> => outage(() => site.cluster.restartApiServer())
      expect(await answersWhile(restarted, 1000)).toBeGreaterThan(0)
    },
    LONG,
  )

  test(
    'a leader that is told to end leaves the lead and no request behind',
    async () => {
      const before = await site.leader()
      const end = async (): Promise<void> => {
        await site.kubectl('delete', 'pod', before)
        await anotherLeader(before, 10_000)
      }
      expect(await answersWhile(end)).toBe(0)
      await site.rolledOut()
    },
    LONG,
  )

  test(
    'a leader that is killed loses what it is sent until nobody is led to it, by failure policy; another follows it',
    async () => {
      const before = await site.leader()
      const { answered, wrong } = await load.during(async () => {
        await site.kubectl('delete', 'pod', before, '--grace-period=0', '--force')
        await eventually({ what: 'a Service without it', within: 10_000 }, async () => {
          const slices = await site.kubectl('get', 'endpointslices', '-o', 'json')
          return slices.includes(`"${before}"`) ? undefined : true
        })
        // The Service may be rid of it before its process is: connections that are kept end with the process.
        await sleep(3000)
      })
      total += answered
      const byFailurePolicy = /: 500 .*failed calling webhook "closed\.validate|: 403 .*RES-01 /s
      expect(wrong.filter((reason) => !byFailurePolicy.test(reason))).toEqual([])
      expect(await answersWhile(() => anotherLeader(before, 40_000))).toBe(0)
    },
    LONG,
  )

  test(
    'ten thousand applies',
    async () => {
      expect(await answersWhile(async () => undefined, Math.max(0, APPLIES - total))).toBe(0)
      expect(total).toBeGreaterThanOrEqual(APPLIES)
    },
    LONG,
  )
})
