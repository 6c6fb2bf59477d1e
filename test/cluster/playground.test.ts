import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { describeCluster } from './harness/describe-cluster.ts'
import { eventually } from './harness/eventually.ts'
import { createKubectl, type Kubectl } from './harness/kubectl.ts'
import { programsNaming } from './harness/programs-naming.ts'
import { expectNothingLeft, printed, startSession, type Session } from './playground-session.ts'

const root = join(import.meta.dirname, '../..')
const examples = readdirSync(join(root, 'examples'))
  .filter((name) => name.endsWith('.yaml'))
  .toSorted()

describeCluster('npm run playground', () => {
  describe('when it is ready', () => {
    let session: Session
    let kubectl: Kubectl
    beforeAll(async () => {
      session = startSession()
      const [, kubeconfig = ''] = await printed(session, /export KUBECONFIG=(\S+)/)
      const [, path = ''] = await printed(session, /export PATH=([^:]+):/)
      await printed(session, /Ctrl-C ends everything/)
      kubectl = createKubectl({ binary: join(path, 'kubectl'), kubeconfig, home: dirname(kubeconfig) })
    })
    afterAll(() => session.process.kill('SIGKILL'))

    test.each(examples)('%s meets what its first line says', async (name) => {
      const file = join(root, 'examples', name)
      const [title = ''] = readFileSync(file, 'utf8').split('\n', 1)
      expect(session.output()).toContain(`kubectl apply -f examples/${name} `)
      const { code, stderr } = await kubectl(['apply', '-f', file])
      const codes = title.match(/[A-Z]+-\d+/g) ?? []
      const [, outcome] = /^# (Refused|Warned|Completed|Stored): /.exec(title) ?? []
      expect({ title, refused: code !== 0, denial: stderr.includes('denied the request'), stderr }).toEqual({
        title,
        refused: outcome === 'Refused',
        denial: outcome === 'Refused',
        stderr: outcome === 'Stored' ? '' : expect.stringContaining(codes[0] ?? 'a rule code'),
      })
      expect(codes.filter((rule) => !stderr.includes(rule))).toEqual([])
    })

    test('SIGINT ends it in order and leaves nothing behind', async () => {
      expect(programsNaming(session.temporary)).toEqual(['etcd', 'kube-apiserver', 'node', 'sh', 'sh'])
      session.process.kill('SIGINT')
      expect(await session.exited).toBe(0)
      await expectNothingLeft(session)
    })
  })

  test('SIGTERM while it starts leaves nothing behind', async () => {
    const session = startSession()
    await printed(session, /starting an API server/)
    await eventually({ what: 'an API server', within: 30_000 }, () =>
      programsNaming(session.temporary).includes('kube-apiserver') ? true : undefined,
    )
    session.process.kill('SIGTERM')
    expect(await session.exited).toBe(130)
    await expectNothingLeft(session)
  })

  test('a Meshward that cannot start ends it with the reason, and leaves nothing behind', async () => {
    const session = startSession(['--bindings', 'no-such-file.yaml'])
    expect(await session.exited).toBe(1)
    expect(session.output()).toContain('no-such-file.yaml')
    await expectNothingLeft(session)
  })

  test('an API server that cannot start ends it with the reason, and leaves nothing behind', async () => {
    const assets = mkdtempSync(join(tmpdir(), 'meshward-assets-'))
    for (const program of ['etcd', 'kube-apiserver', 'kubectl']) {
      writeFileSync(join(assets, program), '#!/bin/sh\necho "no such thing" >&2\nexit 3\n', { mode: 0o755 })
    }
    const session = startSession([], { KUBEBUILDER_ASSETS: assets })
    expect(await session.exited).toBe(1)
    expect(session.output()).toContain('kube-apiserver ended (3) while starting:\nno such thing')
    await expectNothingLeft(session)
    rmSync(assets, { recursive: true })
  })
})
