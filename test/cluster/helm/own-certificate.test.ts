import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { asList, asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { makeAuthority, makeLeaf, type Authority } from '../../../src/webhook/authority.ts'
import type { Certificate } from '../../../src/webhook/certificate.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { createAdmissionLoad, type AdmissionLoad } from './admission-load.ts'
import { openInstallation, type Installation } from './installation.ts'
import { bad, good } from './shop.ts'

const DAY = 24 * 60 * 60 * 1000
const MISFIT = 'the private key does not belong to the certificate'

/** What `certificates.mode=existing` asks for. */
const secretOf = ({ cert }: Authority, leaf: Pick<Certificate, 'cert' | 'key'>): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: { name: 'own-tls', namespace: 'meshward-system' },
  stringData: { 'tls.crt': leaf.cert.toString(), 'tls.key': leaf.key.toString(), 'ca.crt': cert },
})

const fingerprint = (cert: Buffer): string => new X509Certificate(cert).fingerprint256

describeNodes("a certificate of one's own", () => {
  let site: Installation
  let load: AdmissionLoad
  let authority: Authority
  let first: Certificate
  let second: Certificate

  const put = async (leaf: Pick<Certificate, 'cert' | 'key'>): Promise<void> => {
    expect(await site.apply(secretOf(authority, leaf))).toMatchObject({ code: 0 })
  }
  const answersWhile = async (deed: () => Promise<unknown>): Promise<void> =>
    expect(await load.during(deed, 50)).toMatchObject({ wrong: [], unreachable: 0 })
  /** What is known of a pod's container. */
  const container = async (pod: string): Promise<JsonObject> => {
    const object: Json = JSON.parse(await site.kubectl('get', pod, '-o', 'json'))
    return asObject(asList(asObject(asObject(object).status).containerStatuses)[0])
  }
  const ports = new Map<string, number>()
  /** The fingerprint of what a pod serves. */
  const served = async (pod: string): Promise<string> => {
    const address = await site.kubectl('get', pod, '-o', 'jsonpath={.status.podIP}')
    const port = ports.get(address) ?? (await site.cluster.expose(address, 8443))
    ports.set(address, port)
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const until = (what: string, holds: () => Promise<boolean>) =>
    eventually({ what, within: 60_000, every: 250 }, async () => ((await holds()) ? true : undefined))

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    authority = await makeAuthority('The CA of somebody else', DAY)
    const names = ['meshward.meshward-system.svc']
    first = await makeLeaf(authority, { names, lifetime: DAY })
    second = await makeLeaf(authority, { names, lifetime: DAY })
    for (const namespace of ['meshward-system', 'shop']) await site.cluster.kubectl(['create', 'namespace', namespace])
    await put(first)
    await site.install('--set', 'certificates.mode=existing', '--set', 'certificates.existingSecret=own-tls')
    await site.enforced()
    await site.rolledOut()
    load = createAdmissionLoad({ client: site.cluster.client, concurrency: 4, samples: [good, bad] })
  })
  afterAll(() => site?.cluster.stop())

  test('is served by every replica, and there is no other', async () => {
    expect(await Promise.all((await site.pods()).map(served))).toEqual(Array(2).fill(fingerprint(first.cert)))
    const secrets = await site.kubectl(
      'get',
      'secrets',
      '-o',
      'jsonpath={.items[?(@.type=="kubernetes.io/tls")].metadata.name}',
    )
    expect(secrets).toBe('own-tls')
  })

  test('and a key that does not fit: the last good pair is served on, and every log says so', async () => {
    await answersWhile(async () => {
      await put({ cert: second.cert, key: first.key })
      for (const name of await site.pods())
        await until(`the reason in the log of ${name}`, async () => (await site.kubectl('logs', name)).includes(MISFIT))
    })
    expect(await Promise.all((await site.pods()).map(served))).toEqual(Array(2).fill(fingerprint(first.cert)))
  })

  test('and a replica that has to start with that: it is not ready and says why, and the other answers on', async () => {
    const [gone = '', other = ''] = await site.pods()
    await answersWhile(async () => {
      await site.kubectl('delete', gone)
      const fresh = (await site.pods()).find((name) => name !== other) ?? ''
      expect(fresh).not.toBe(gone)
      await until('a second try', async () => Number((await container(fresh))['restartCount']) > 0)
      expect(await container(fresh)).toMatchObject({ ready: false, lastState: { terminated: { exitCode: 2 } } })
      const log = await site.kubectl('logs', fresh, '--previous')
      expect(log).toBe(`/etc/meshward/tls/tls.crt, /etc/meshward/tls/tls.key: ${MISFIT}\n`)
    })
    expect(await container(other)).toMatchObject({ ready: true, restartCount: 0 })
  })

  test('and a pair that fits again: every replica serves it, and who ran has not been started again', async () => {
    const running = (await Promise.all((await site.pods()).map(container))).filter(({ ready }) => ready === true)
    expect(running).toHaveLength(1)
    await answersWhile(async () => {
      await put(second)
      await until('the new pair in every replica', async () => {
        const all = await Promise.all((await site.pods()).map(served))
        return all.every((one) => one === fingerprint(second.cert))
      })
      await site.rolledOut()
    })
    expect(await Promise.all((await site.pods()).map(container))).toEqual(expect.arrayContaining(running))
  })
})
