import { X509Certificate, createPrivateKey } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'

import { asList, asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { makeCertificate } from '../../../src/webhook/self-made-certificate.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { createAdmissionLoad, createPoster, type AdmissionLoad } from './admission-load.ts'
import { openInstallation, plaintext, type Installation } from './installation.ts'
import { bad, good, marked, marking } from './shop.ts'

// What is wrong around Meshward, and not in the objects that it judges.

const HOUR = 60 * 60 * 1000

/** By default. */
const LEAF_VALIDITY = 2160 * HOUR

/** Put before the program: at each SIGUSR2 the clock jumps, an hour ahead and back in turn. */
const jumpingClock = `
const Real = Date
let ahead = 0
globalThis.Date = class extends Real {
  constructor(...parts) { super(...(parts.length === 0 ? [Real.now() + ahead] : parts)) }
  static now() { return Real.now() + ahead }
}
process.on('SIGUSR2', () => { ahead = ${HOUR} - ahead })
`
const environment = [
  { name: 'NODE_OPTIONS', value: `--import=data:text/javascript,${encodeURIComponent(jumpingClock)}` },
]

describeNodes('what is wrong around Meshward', () => {
  let site: Installation
  let load: AdmissionLoad

  const upgrade = (values: Readonly<Record<string, Json>> = {}) =>
    site.upgrade(...valuesOf({ extraEnv: environment, ...values }))
  /** Writes a policy of one's own as somebody does whom no chart checks. */
  const writePolicy = (text: string) =>
    site.kubectl('patch', 'configmap', 'meshward-policies', '-p', JSON.stringify({ data: { 'own.yaml': text } }))
  const until = (what: string, holds: () => Promise<boolean>) =>
    eventually({ what, within: 30_000, every: 250 }, async () => ((await holds()) ? true : undefined))
  const answers = async (deed: () => Promise<unknown> = async () => undefined): Promise<void> => {
    expect(await load.during(deed, 50)).toMatchObject({ wrong: [], unreachable: 0 })
  }
  const warningsOfMarked = async (): Promise<string> => (await createPoster(site.cluster.client)(marked)).warnings
  const isRefused = async (object: object): Promise<boolean> =>
    (await site.cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], { stdin: JSON.stringify(object) })).code !== 0

  /** Waits until every replica has logged something, and returns what the lines say, once. */
  const logged = async (message: string): Promise<readonly JsonObject[]> => {
    const found = await eventually({ what: `"${message}" in every log`, within: 30_000, every: 250 }, async () => {
      const logs = await Promise.all((await site.pods()).map((pod) => site.kubectl('logs', pod)))
      const lines = logs.map((log) => linesOf(log).filter(({ msg }) => msg === message))
      return lines.every((line) => line.length > 0) ? lines.flat() : undefined
    })
    const said = found.map(({ time: _time, ...rest }) => JSON.stringify(rest))
    return [...new Set(said)].map((line): JsonObject => JSON.parse(line))
  }
  const events = async (reason: string): Promise<readonly JsonObject[]> => {
    const list: Json = JSON.parse(await site.kubectl('get', 'events', '-o', 'json'))
    return asList(asObject(list).items)
      .map((event) => asObject(event))
      .filter((event) => event.reason === reason)
  }
  /** What every replica shows on /metrics. */
  const scrapes = async (): Promise<readonly string[]> => {
    const path = (pod: string) => `/api/v1/namespaces/meshward-system/pods/https:${pod}:8443/proxy/metrics`
    const pods = (await site.pods()).map((pod) => pod.replace('pod/', ''))
    return Promise.all(pods.map((pod) => site.kubectl('get', '--raw', path(pod))))
  }
  /** Waits until every replica shows this line. */
  const shown = (line: string) =>
    until(line, async () => (await scrapes()).every((scrape) => scrape.split('\n').includes(line)))
  const leaf = async (): Promise<{ readonly cert: X509Certificate; readonly fits: boolean }> => {
    const { data } = asObject(JSON.parse(await site.kubectl('get', 'secret', 'meshward-tls', '-o', 'json')))
    const { 'tls.crt': cert, 'tls.key': key } = asObject(data)
    const pem = (text: Json | undefined): Buffer => Buffer.from(typeof text === 'string' ? text : '', 'base64')
    const read = new X509Certificate(pem(cert))
    return { cert: read, fits: pem(key).length > 0 && read.checkPrivateKey(createPrivateKey(pem(key))) }
  }
  /** Puts a key into the Secret that does not fit, and waits until the leader has made a pair that does. */
  const spoilKey = async (): Promise<void> => {
    const { key } = (await makeCertificate({ names: ['localhost'], problem: () => {} })).source.current()
    const patch = { data: { 'tls.key': key.toString('base64') } }
    await site.kubectl('patch', 'secret', 'meshward-tls', '-p', JSON.stringify(patch))
    await until('a pair that fits', async () => (await leaf()).fits)
  }

  beforeAll(async () => {
    site = await openInstallation(meshwardImage())
    await site.cluster.kubectl(['create', 'namespace', 'shop'])
    await site.install(...valuesOf({ extraEnv: environment }))
    await site.enforced()
    await site.rolledOut()
    load = createAdmissionLoad({ client: site.cluster.client, concurrency: 4, samples: [good, bad] })
  })
  afterAll(() => site?.cluster.stop())

  test('a policy that is no YAML: the last good set stays, and log, metric and Event say line and column', async () => {
    await writePolicy(stringify(marking('first')))
    await until('the first policy', async () => (await warningsOfMarked()).includes('OWN-01 metadata.name: first'))
    await writePolicy('kind: MeshPolicy\nmetadata: { name: own\nspec: {}\n')
    const place = { code: 'DOC-01', file: '/etc/meshward/policies/own.yaml', line: 3, column: 1 }
    expect(await logged('changed policies refused; the last good set stays in force')).toMatchObject([place])
    await shown('meshward_policies_refused 1')
    expect(await events('PoliciesRefused')).toMatchObject([
      { type: 'Warning', involvedObject: { kind: 'Pod' }, message: expect.stringContaining('own.yaml:3:1: ') },
      { type: 'Warning', involvedObject: { kind: 'Pod' } },
    ])
    expect(await warningsOfMarked()).toContain('OWN-01 metadata.name: first')
    await answers()

    await writePolicy(stringify(marking('second')))
    await shown('meshward_policies_refused 0')
    expect(await warningsOfMarked()).toContain('OWN-01 metadata.name: second')
  })

  test('an expression that does not compile: its policy answers by its failure policy, and takes no other down', async () => {
    await writePolicy(
      stringify(marking('third')).replace("object.metadata.name != 'marked'", 'object.metadata.name !='),
    )
    const place = { code: 'CEL-SYNTAX', file: '/etc/meshward/policies/own.yaml', line: 26 }
    expect(await logged('policy does not compile and answers by its failure policy')).toMatchObject([place])
    await shown('meshward_policies{state="broken"} 1')
    expect(await events('PolicyBroken')).toMatchObject([
      { message: expect.stringContaining('own.yaml:26:') },
      { message: expect.stringContaining('own.yaml:26:') },
    ])
    await answers()
    await writePolicy(stringify(marking('fourth')))
    await shown('meshward_policies{state="broken"} 0')
  })

  test('a selector that selects nothing: of a policy, that one judges nothing', async () => {
    const nothing = { matchLabels: { nobody: 'has-it' } }
    await upgrade({ 'policies.settings': [{ policies: ['MTLS-02'], match: { namespaceSelector: nothing } }] })
    await until('plaintext passes', async () => !(await isRefused(plaintext('probe'))))
    await answers()
    await upgrade()
    await site.enforced()
  })

  test('a selector that selects nothing: of the webhook, nothing is judged until it selects again', async () => {
    await upgrade({ 'webhook.namespaceSelector': { matchLabels: { nobody: 'has-it' } } })
    await until('everything passes', async () => !(await isRefused(plaintext('probe'))))
    await upgrade()
    await site.enforced()
    await answers()
  })

  test('settings of the webhook that it cannot have: the last good ones stay, and the log says where', async () => {
    const { data } = asObject(JSON.parse(await site.kubectl('get', 'configmap', 'meshward-config', '-o', 'json')))
    const patch = { data: { 'webhook.yaml': 'namespaceSelector:\n  matchLabels: [a]\n' } }
    await site.kubectl('patch', 'configmap', 'meshward-config', '-p', JSON.stringify(patch))
    expect(await logged('duty in the cluster cannot be done; it is tried again')).toMatchObject([
      { duty: 'webhook settings', reason: expect.stringContaining('webhook.yaml:2:16: namespaceSelector.matchLabels') },
    ])
    await site.enforced()
    await site.kubectl('patch', 'configmap', 'meshward-config', '-p', JSON.stringify({ data }))
    await logged('duty in the cluster can be done again')
  })

  test('a key in the Secret that does not fit: the last good pair is served until the leader has made another', async () => {
    const before = await leaf()
    expect(before.fits).toBe(true)
    await answers(spoilKey)
    expect((await leaf()).cert.fingerprint256).not.toBe(before.cert.fingerprint256)
    await answers()
  })

  test('clocks that jump an hour, there and back: nobody loses the lead, the mesh is no older, new certificates hold', async () => {
    const leader = await site.leader()
    const jump = async (): Promise<void> => {
      for (const pod of await site.pods()) await site.signal(pod, 'SIGUSR2')
    }
    await answers(async () => {
      await jump()
      const ages = (await scrapes()).map((scrape) =>
        Number(/^meshward_mesh_staleness_seconds (\S+)$/m.exec(scrape)?.[1]),
      )
      expect(ages.filter((age) => age < 60)).toHaveLength(2)
      await spoilKey()
      const { validToDate } = (await leaf()).cert
      expect(validToDate.getTime()).toBeGreaterThan(Date.now() + LEAF_VALIDITY + HOUR / 2)
      // Another round of all duties by the clock that is ahead.
      await delay(5000)
      await jump()
      await delay(5000)
    })
    expect(await site.leader()).toBe(leader)
  })
})

function valuesOf(values: Readonly<Record<string, Json>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`])
}

function linesOf(log: string): readonly JsonObject[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{'))
  return lines.map((line): JsonObject => JSON.parse(line))
}
