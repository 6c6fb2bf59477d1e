import { createPublicKey, X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'

import type { Certificate } from '../../src/webhook/certificate.ts'
import { openCertificateFiles } from '../../src/webhook/certificate-files.ts'
import { startHttpsServer } from '../../src/webhook/https-server.ts'
import { createLifecycle } from '../../src/webhook/lifecycle.ts'
import { makeCertificate } from '../../src/webhook/self-made-certificate.ts'

const DAY = 24 * 60 * 60 * 1000

async function make(...names: readonly string[]) {
  const { source, ca } = await makeCertificate({ names, problem: () => undefined })
  return { ...source.current(), ca }
}

describe('a self-made certificate', () => {
  test('is a P-256 leaf for these names under a CA of its own', async () => {
    const { cert, ca, expires } = await make('meshward.example.com', '127.0.0.1', '::1')
    const leaf = new X509Certificate(cert)
    const authority = new X509Certificate(ca)
    expect(leaf.verify(authority.publicKey)).toBe(true)
    expect([leaf.ca, authority.ca, leaf.checkIssued(authority)]).toEqual([false, true, true])
    expect(leaf.subjectAltName).toBe('DNS:meshward.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(createPublicKey(cert).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    expect(leaf.validToDate.getTime()).toBe(Math.floor(expires.getTime() / 1000) * 1000)
  })

  test('is followed by another of the same CA long before it ends, and not earlier', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const { source, ca } = await makeCertificate({ names: ['localhost'], problem: () => undefined })
    const first = source.current()
    const seen: Certificate[] = []
    const stop = source.watch((next) => seen.push(next))
    await vi.advanceTimersByTimeAsync(240 * DAY)
    expect(source.current()).toBe(first)
    await vi.advanceTimersByTimeAsync(5.1 * DAY)
    await expect.poll(() => seen.length).toBe(1)
    expect(source.current()).toBe(seen[0])
    const leaf = new X509Certificate(source.current().cert)
    expect(leaf.verify(new X509Certificate(ca).publicKey)).toBe(true)
    expect(leaf.validToDate.getTime()).toBeGreaterThan(first.expires.getTime() + 200 * DAY)
    stop()
    await vi.advanceTimersByTimeAsync(500 * DAY)
    expect(seen).toHaveLength(1)
  })
})

describe('a certificate from files', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meshward-certificates-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** Lays files as the kubelet does: a folder per version, and links through one link that is swapped. */
  async function mount(name: string, version: string, files: Readonly<Record<string, Buffer>>): Promise<string> {
    const volume = join(folder, name)
    const data = join(volume, `..${version}`)
    await mkdir(data, { recursive: true })
    for (const [file, content] of Object.entries(files)) await writeFile(join(data, file), content)
    await symlink(`..${version}`, join(volume, '..new'))
    await rename(join(volume, '..new'), join(volume, '..data'))
    for (const file of Object.keys(files))
      await symlink(join('..data', file), join(volume, file)).catch(() => undefined)
    return volume
  }

  const pair = ({ cert, key }: Certificate) => ({ 'tls.crt': cert, 'tls.key': key })

  async function open(volume: string) {
    const problems: string[] = []
    const outcome = await openCertificateFiles({
      certFile: join(volume, 'tls.crt'),
      keyFile: join(volume, 'tls.key'),
      interval: 5,
      problem: (reason) => problems.push(reason),
    })
    return { outcome, problems }
  }

  test('is served anew after the swap of a mounted Secret, without a restart', async () => {
    const [first, second] = [await make('localhost'), await make('localhost')]
    const volume = await mount('swap', 'v1', pair(first))
    const { outcome, problems } = await open(volume)
    if (!outcome.ok) throw new Error(outcome.reason)
    const server = await startHttpsServer({
      host: '127.0.0.1',
      port: 0,
      certificates: outcome.source,
      lifecycle: createLifecycle(),
      listener: (_, response) => response.end('hello'),
    })
    onTestFinished(() => server.drain(0))
    const served = () => servedCertificate(server.address.port)
    expect(await served()).toBe(new X509Certificate(first.cert).fingerprint256)
    await mount('swap', 'v2', pair(second))
    await expect.poll(served).toBe(new X509Certificate(second.cert).fingerprint256)
    expect(outcome.source.current().expires).toEqual(new X509Certificate(second.cert).validToDate)
    expect(problems).toEqual([])
  })

  test('stays the last good one while what is written is no pair, each reason told once', async () => {
    const [first, second] = [await make('localhost'), await make('localhost')]
    const volume = await mount('broken', 'v1', pair(first))
    const { outcome, problems } = await open(volume)
    if (!outcome.ok) throw new Error(outcome.reason)
    const seen: Certificate[] = []
    onTestFinished(outcome.source.watch((next) => seen.push(next)))
    await mount('broken', 'v2', { 'tls.crt': second.cert, 'tls.key': first.key })
    await expect.poll(() => problems).toEqual(['the private key does not belong to the certificate'])
    await mount('broken', 'v3', { 'tls.crt': Buffer.from('soon'), 'tls.key': first.key })
    await expect.poll(() => problems).toHaveLength(2)
    expect(problems[1]).toMatch(/^not a PEM certificate with its PEM private key/)
    await rm(join(volume, '..data'))
    // A look that the removal met half-way has missed the key alone.
    await expect.poll(() => problems.at(-1)).toMatch(/^ENOENT.*tls\.crt/)
    expect(outcome.source.current().cert).toEqual(first.cert)
    expect(seen).toEqual([])
    await mount('broken', 'v4', pair(second))
    await expect.poll(() => seen.map(({ cert }) => cert)).toEqual([second.cert])
    expect(problems).toEqual([...new Set(problems)])
  })

  test.each([
    ['a file that is missing', {}, /ENOENT.*tls\.(?:crt|key)/],
    ['a key of another certificate', { key: 'other' }, /tls\.crt.*the private key does not belong/],
    ['a key that is none', { key: 'none' }, /not a PEM certificate with its PEM private key/],
  ])('cannot begin with %s', async (name, { key }: { readonly key?: string }, reason) => {
    const { cert } = await make('localhost')
    const other = await make('localhost')
    const keys: Readonly<Record<string, Buffer>> = { other: other.key, none: Buffer.from('x') }
    const content = key === undefined ? undefined : keys[key]
    const volume = await mount(name, 'v1', content === undefined ? {} : { 'tls.crt': cert, 'tls.key': content })
    const { outcome } = await open(volume)
    expect(outcome).toEqual({ ok: false, reason: expect.stringMatching(reason) })
  })
})

function servedCertificate(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.once('error', reject)
  })
}
