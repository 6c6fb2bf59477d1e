import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { ask } from '../webhook/server-process.ts'
import { peerAuthenticationReview } from '../webhook/sample-review.ts'
import { replayDockerfile, type Replayed } from './dockerfile-replay.ts'

const project = join(import.meta.dirname, '../..')
let folder = ''
let image: Replayed

// Installs every package from an empty folder and builds.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meshward-image-'))
  image = await replayDockerfile(project, folder)
}, 300_000)
afterAll(async () => {
  execFileSync('chmod', ['-R', 'u+w', folder])
  await rm(folder, { recursive: true })
})

test('the image runs as nobody in particular, by number', () => {
  expect(image.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
})

test('what it starts serves the shipped policies, with everything it has made read-only', async () => {
  const [program = '', ...args] = image.command
  expect(program).toBe('node')
  const writable = await mkdtemp(join(tmpdir(), 'meshward-ca-'))
  onTestFinished(() => rm(writable, { recursive: true }))
  await chmod(writable, 0o777)
  const caFile = join(writable, 'ca.pem')
  execFileSync('chmod', ['-R', 'a-w,a+rX', folder])
  const child = spawn(program, [...args, '--host', '127.0.0.1', '--port', '0', '--write-ca', caFile], {
    cwd: image.workdir,
    env: { PATH: process.env.PATH, ...image.environment },
    stdio: ['ignore', 'pipe', 'ignore'],
    ...identity(image.user),
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const port = await new Promise<number>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      const line = /is ready on https:\/\/127\.0\.0\.1:(\d+)/.exec(chunk.toString('utf8'))
      if (line !== null) resolve(Number(line[1]))
    })
  })
  const server = { port, ca: await readFile(caFile, 'utf8') }
  const review = JSON.stringify(peerAuthenticationReview({ mtls: { mode: 'PERMISSIVE' } }))
  const { body } = await ask(server, '/validate', review)
  expect(JSON.parse(body).response.status.message).toContain('MTLS-02 spec.mtls.mode: ')
  expect((await ask(server, '/')).body).toContain('<h1>Meshward dry run</h1>')
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGINT')
  expect(await ended).toBe(0)
})

test('the command line is in it too, by its name and from any folder', () => {
  const output = execFileSync('meshward', ['list'], { cwd: tmpdir(), encoding: 'utf8', env: image.environment })
  expect(output).toContain('MTLS-02')
})

/** Root may write anywhere, so a test that runs as root becomes the user of the image. */
function identity(user: string): { readonly uid?: number; readonly gid?: number } {
  const [uid, gid] = user.split(':').map(Number)
  return process.getuid?.() === 0 && uid !== undefined && gid !== undefined ? { uid, gid } : {}
}
