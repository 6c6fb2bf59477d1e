import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { openInstallation, plaintext, type Installation } from './installation.ts'

/** What a cluster makes for itself, with or without us. */
const OWN_OBJECTS = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'new' }, spec: { ports: [{ port: 80 }] } },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'new' },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'new' } },
      template: {
        metadata: { labels: { app: 'new' } },
        spec: { containers: [{ name: 'main', image: 'ghcr.io/meshward/meshward' }] },
      },
    },
  },
  {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'new', namespace: 'kube-system' },
    spec: { holderIdentity: 'somebody', leaseDurationSeconds: 15 },
  },
]

describeNodes('a cluster whose Meshward is gone', () => {
  let site: Installation

  const noReplica = () =>
    eventually({ what: 'no replica', within: 30_000, every: 250 }, async () =>
      (await site.pods()).join('') === '' ? true : undefined,
    )
  const killAll = () =>
    site.kubectl('delete', 'pods', '-l', 'app.kubernetes.io/name=meshward', '--grace-period=0', '--force')
  const podsOf = async (app: string): Promise<string> =>
    site.kubectl('get', 'pods', '-n', 'default', '-l', `app=${app}`, '-o', 'name')

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    await site.install()
    await site.enforced()
    await site.rolledOut()
  })
  afterAll(() => site?.cluster.stop())

  test('makes its own objects, new and changed, while what fails closed is refused in the name of Meshward', async () => {
    await site.kubectl('scale', 'deployment/meshward', '--replicas=0')
    await noReplica()
    for (const round of ['first', 'second']) {
      const labelled = OWN_OBJECTS.map((object) => ({ ...object, metadata: { ...object.metadata, labels: { round } } }))
      const { code, stderr } = await site.apply(...labelled)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }
    await eventually({ what: 'a pod of the new Deployment', within: 10_000 }, async () =>
      (await podsOf('new')) === '' ? undefined : true,
    )
    await site.kubectl('delete', 'deployment/new', 'service/new', '-n', 'default')
    const { code, stderr } = await site.apply(plaintext('open'))
    expect(code).toBe(1)
    expect(stderr).toContain('failed calling webhook "closed.validate.meshward.io"')
  })

  test('has it back when it is scaled up again, with nobody else to help', async () => {
    await site.kubectl('scale', 'deployment/meshward', '--replicas=2')
    await site.enforced()
    await site.rolledOut()
  })

  test('has it back by itself when every pod was killed', async () => {
    const before = await site.pods()
    await killAll()
    await site.enforced()
    await site.rolledOut()
    const after = await site.pods()
    expect(after.filter((pod) => before.includes(pod))).toEqual([])
    expect(after).toHaveLength(2)
  })

  test('is rid of it by helm uninstall after every pod was killed, and gets it again by helm install', async () => {
    await killAll()
    await site.uninstall()
    await site.nothingLeft()
    const { code } = await site.apply(plaintext('free'))
    expect(code).toBe(0)
    await site.install()
    await site.enforced()
  })

  test('is rid of it by helm uninstall when there is no pod at all', async () => {
    await site.kubectl('scale', 'deployment/meshward', '--replicas=0')
    await noReplica()
    await site.uninstall()
    await site.nothingLeft()
    const { code } = await site.apply(plaintext('free-again'))
    expect(code).toBe(0)
  })
})
