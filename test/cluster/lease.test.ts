import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { asObject, type JsonObject } from '../../src/kube/json.ts'
import { joinElection, type Election } from '../../src/webhook/cluster/lease.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { createOwnerRole, getObject, type OwnerRole } from './harness/owner-role.ts'

describeCluster('the election of a leader', (cluster) => {
  let owner: OwnerRole
  let namespace: string
  let time = 0

  beforeAll(async () => {
    owner = await createOwnerRole(cluster, 'lease-test')
  })
  afterAll(() => owner.remove())
  beforeEach(async () => {
    namespace = await cluster.createNamespace()
  })

  const join = (identity: string): Election =>
    joinElection({
      owner,
      namespace,
      name: 'meshward',
      identity,
      monotonic: () => time,
      now: () => 1_790_000_000_000 + time,
    })
  const leaders = (...all: readonly Election[]): readonly boolean[] => all.map((one) => one.isLeader())
  const spec = async (): Promise<JsonObject> =>
    asObject((await getObject(cluster, 'lease', 'meshward', '-n', namespace)).spec)

  test('makes the Lease, owned by the ClusterRole, for the first who asks; the second follows', async () => {
    const [a, b] = [join('a'), join('b')]
    await a.round()
    await b.round()
    expect(leaders(a, b)).toEqual([true, false])
    const { metadata } = await getObject(cluster, 'lease', 'meshward', '-n', namespace)
    const uid = asObject((await getObject(cluster, 'clusterrole', 'lease-test')).metadata).uid
    expect(asObject(metadata).ownerReferences).toEqual([
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'lease-test', uid },
    ])
    expect(await spec()).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-09-21T14:13:20.000000Z',
      renewTime: '2026-09-21T14:13:20.000000Z',
      leaseTransitions: 0,
    })
  })

  test('stays with who renews it, and passes 15 s after the last renewal, never to two at once', async () => {
    const [a, b] = [join('a'), join('b')]
    for (let round = 0; round < 10; round += 1) {
      await a.round()
      await b.round()
      expect(leaders(a, b)).toEqual([true, false])
      time += 2000
    }
    // The last renewal is 2 s old, and from here on `a` hangs.
    for (; !b.isLeader(); time += 1000) {
      await b.round()
      expect(leaders(a, b)).not.toEqual([true, true])
    }
    expect(leaders(a, b)).toEqual([false, true])
    expect((await spec()).leaseTransitions).toBe(1)
    await a.round()
    expect(leaders(a, b)).toEqual([false, true])
  })

  test('two who find it expired at once: one takes it', async () => {
    const [a, b, c] = [join('a'), join('b'), join('c')]
    await a.round()
    await Promise.all([b.round(), c.round()])
    time += 16_000
    await Promise.all([b.round(), c.round()])
    expect(leaders(a, b, c).filter((leads) => leads)).toHaveLength(1)
    expect(a.isLeader()).toBe(false)
  })

  test('who resigns is followed at once', async () => {
    const [a, b] = [join('a'), join('b')]
    await a.round()
    await b.round()
    await a.resign()
    await b.round()
    expect(leaders(a, b)).toEqual([false, true])
    await a.resign()
    expect((await spec()).holderIdentity).toBe('b')
  })

  test('nobody leads, and no Lease is made, once the ClusterRole is gone', async () => {
    const gone = { api: owner.api, name: 'no-such-role' }
    const election = joinElection({
      owner: gone,
      namespace,
      name: 'meshward',
      identity: 'a',
      monotonic: () => time,
      now: () => 0,
    })
    await election.round()
    expect(election.isLeader()).toBe(false)
    expect((await cluster.kubectl(['get', 'lease', 'meshward', '-n', namespace])).stderr).toContain('NotFound')
  })
})
