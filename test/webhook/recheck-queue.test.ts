import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'

import { decide } from '../../src/engine/decide.ts'
import type { Finding } from '../../src/engine/decision.ts'
import type { MeshKnowledge } from '../../src/engine/mesh-knowledge.ts'
import type { AdmissionRequest } from '../../src/engine/request.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { buildSnapshot, emptySnapshot } from '../../src/mesh/snapshot.ts'
import { unknownKind } from '../../src/sources/cluster/watch-kind.ts'
import { fixedSource } from '../../src/sources/source.ts'
import { openMesh, type MeshInForce } from '../../src/webhook/mesh-in-force.ts'
import { createRecheck, type RecheckQueue } from '../../src/webhook/recheck-queue.ts'
import { policySetOf } from '../engine/policy-set-of.ts'
import { requestFor } from '../engine/request-for.ts'
import { policyFrom, policyText } from '../policy/policy-from.ts'

const policies = policySetOf([
  policyFrom(policyText('validations: [{ findings: "mesh.routing.rivalHosts(object, params)" }]', { code: 'VS-10' })),
  policyFrom(
    policyText('validations: [{ expression: "size(object.spec.hosts) > 0" }]', {
      code: 'GW-99',
      name: 'form',
      resources: 'gateways',
    }),
  ),
])

const object = (kind: string, name: string): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  metadata: { name, namespace: 'shop' },
  spec: { hosts: ['cart'], http: [{ route: [{ destination: { host: 'cart' } }] }] },
})
const cart = object('VirtualService', 'cart')
const rival = object('VirtualService', 'rival')

/** `cart` as the API server keeps it. */
const stored = (uid: string, generation: number): KubeObject => ({
  ...cart,
  metadata: { ...cart.metadata, uid, generation },
})

let queue: RecheckQueue | undefined
afterEach(() => queue?.stop())

/** A queue over a mesh that can be changed, and everything it said. */
function open({ delay = 10, knowledge = 'whole' }: { delay?: number; knowledge?: MeshKnowledge } = {}) {
  const mesh = { objects: [] as readonly KubeObject[], knowledge }
  const options = { maxStaleness: 0, secretNamespace: [], recheckAfter: 0, istioNamespace: 'istio-system' }
  const inForce: MeshInForce = {
    ...openMesh(undefined, options, pino({ level: 'silent' })),
    current: () => buildSnapshot(mesh.objects),
    knowledge: () => mesh.knowledge,
    status: () => [{ ...unknownKind(KINDS.virtualService), state: 'synced' }],
  }
  const said = { logged: [] as unknown[], counted: [] as string[], passedOver: 0, events: [] as string[] }
  queue = createRecheck({
    policies: fixedSource(policies),
    mesh: inForce,
    delay,
    metrics: { rechecked: (code) => said.counted.push(code), recheckPassedOver: () => (said.passedOver += 1) },
    logger: pino({ base: null, timestamp: false }, { write: (line) => said.logged.push(JSON.parse(line)) }),
    events: {
      rechecked: (request: AdmissionRequest, findings: readonly Finding[]) =>
        said.events.push(`${request.name} ${findings.map(({ code }) => code).join()}`),
    },
  })
  return { queue, mesh, said }
}

/** A request as it was answered in an empty mesh. */
function admit(subject: KubeObject, more: Partial<AdmissionRequest> = {}) {
  const request = requestFor(subject, null, more)
  return { request, decision: decide({ request, policies, mesh: emptySnapshot(), phase: 'validate' }) }
}

const NOTHING = { logged: [], counted: [], passedOver: 0, events: [] }

describe('an allowed request, a moment later', () => {
  test('is told of by Event, log and metric where another object has made it wrong', async () => {
    const { queue, mesh, said } = open()
    queue.admitted(admit(cart))
    mesh.objects = [cart, rival]
    await vi.waitFor(() => expect(said.events).toEqual(['cart VS-10']))
    expect(said).toMatchObject({ counted: ['VS-10'], passedOver: 0 })
    expect(said.logged).toEqual([
      {
        level: 40,
        uid: 'u',
        kind: 'VirtualService',
        namespace: 'shop',
        name: 'cart',
        code: 'VS-10',
        field: 'spec.hosts[0]',
        action: 'Deny',
        reason: expect.stringContaining('shop/rival'),
        msg: 'allowed, and wrong by now',
      },
    ])
  })

  test.each([
    ['is right still', admit(cart), [cart]],
    ['was a dry run', admit(cart, { dryRun: true }), [cart, rival]],
    ['meets only rules that read no other object', admit(object('Gateway', 'web')), [cart, rival]],
    ['was refused', { ...admit(cart), decision: { ...admit(cart).decision, allowed: false } }, [cart, rival]],
  ])('is not told of where it %s', async (_, admitted, objects) => {
    const { queue, mesh, said } = open()
    queue.admitted(admitted)
    mesh.objects = objects
    await sleep(60)
    expect(said).toEqual(NOTHING)
  })

  test.each([
    ['is not there', admit(cart), [rival]],
    ['has changed since', admit(stored('1', 1)), [stored('1', 2), rival]],
    ['was made anew since', admit(stored('1', 1)), [stored('2', 1), rival]],
    [
      'was removed, and is there again',
      admit(cart, { operation: 'DELETE', object: null, oldObject: cart }),
      [cart, rival],
    ],
  ])('is passed over, and counted, where its object %s', async (_, admitted, objects) => {
    const { queue, mesh, said } = open()
    queue.admitted(admitted)
    mesh.objects = objects
    await vi.waitFor(() => expect(said).toEqual({ ...NOTHING, passedOver: 1 }))
  })

  test('is told of where its object is the one that was admitted, uid and generation', async () => {
    const { queue, mesh, said } = open()
    queue.admitted(admit(stored('1', 1)))
    mesh.objects = [stored('1', 1), rival]
    await vi.waitFor(() => expect(said.events).toEqual(['cart VS-10']))
  })

  test('is passed over, and counted, where the mesh is too old for its rules; not where it is too old for others', async () => {
    const { queue, mesh, said } = open()
    mesh.objects = [cart, rival]
    mesh.knowledge = { stale: new Map([[KINDS.virtualService, 'old']]) }
    queue.admitted(admit(cart))
    await vi.waitFor(() => expect(said).toEqual({ ...NOTHING, passedOver: 1 }))
    mesh.knowledge = { stale: new Map([[KINDS.pod, 'old']]) }
    queue.admitted(admit(cart))
    await vi.waitFor(() => expect(said).toMatchObject({ counted: ['VS-10'], passedOver: 1 }))
  })

  test('waits with no more than a thousand others; the rest are passed over, and counted', async () => {
    const { queue, mesh, said } = open({ delay: 300 })
    mesh.objects = [cart, rival]
    const admitted = admit(cart)
    for (let count = 0; count < 1200; count += 1) queue.admitted(admitted)
    expect(said.passedOver).toBe(200)
    await vi.waitFor(() => expect(said.counted).toHaveLength(1000), { timeout: 15_000 })
    queue.admitted(admitted)
    await vi.waitFor(() => expect(said.counted).toHaveLength(1001))
  })

  test('is forgotten when the server stops', async () => {
    const { queue, mesh, said } = open()
    mesh.objects = [cart, rival]
    queue.admitted(admit(cart))
    queue.stop()
    await sleep(60)
    expect(said).toEqual(NOTHING)
  })

  test.each([
    ['the delay is 0', 0, 'whole'],
    ['there is no cluster', 10, 'partial'],
  ] as const)('is never looked at where %s', async (_, delay, knowledge) => {
    const { queue, mesh, said } = open({ delay, knowledge })
    mesh.objects = [cart, rival]
    queue.admitted(admit(cart))
    await sleep(60)
    expect(said).toEqual(NOTHING)
  })
})
