import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { expectNothingLeft, printed, startSession, type Session } from '../playground-session.ts'

const root = join(import.meta.dirname, '../../..')

describeNodes('npm run playground -- --helm', () => {
  let session: Session
  beforeAll(async () => {
    session = startSession(['--helm'])
    await printed(session, /Ctrl-C ends everything/, 180_000)
  })
  afterAll(() => session.process.kill('SIGKILL'))

  /** Runs a line of the guide as a person does who has pasted its two exports. */
  const shell = (line: string) => {
    const exports = [...session.output().matchAll(/^ {2}(export .*)$/gm)].map(([, text = '']) => text)
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', [...exports, line].join('\n')], {
      cwd: root,
      encoding: 'utf8',
    })
    return { code: status, said: `${stdout}${stderr}` }
  }

  test('tells what helm install tells, and how soon the cluster was protected', () => {
    expect(session.output()).toContain('Meshward 0.1.0 is being started in meshward-system; enforcement is "enforce".')
    const [, seconds] = /was refused (\d+) s after the command/.exec(session.output()) ?? []
    expect(Number(seconds)).toBeLessThan(30)
  })

  test('every command of the guide does what it says, in its order', { timeout: 240_000 }, async () => {
    const lines = [...session.output().matchAll(/^ {2}((?:kubectl|helm|npm) .*?)(?: +# (.*))?$/gm)]
    const afterGuide = lines.slice(lines.findIndex(([, command]) => command?.startsWith('kubectl get pods')))
    expect(afterGuide.length).toBeGreaterThan(10)
    for (const [, command = '', happens = ''] of afterGuide) {
      const [, outcome = ''] = /^(Refused|Completed|Warned|Found): /.exec(happens) ?? []
      const [rule = ''] = /[A-Z]+-\d+/.exec(happens) ?? []
      // the API server and the pods take a moment to hear of what the line before has changed
      await eventually({ what: `what the guide says of: ${command}`, within: 60_000, every: 500 }, () => {
        const { code, said } = shell(command)
        if (code !== (outcome === 'Refused' || outcome === 'Found' ? 1 : 0)) throw new Error(`${code}: ${said}`)
        if (!said.includes(rule)) throw new Error(said)
        return true
      })
    }
    const { said } = shell('kubectl get leases,secrets,validatingwebhookconfigurations -A -o name | grep meshward')
    expect(said).toBe('')
  })

  test('SIGINT ends it in order and leaves nothing behind', async () => {
    session.process.kill('SIGINT')
    expect(await session.exited).toBe(0)
    await expectNothingLeft(session)
  })

  test('other options are refused: the server that they are for is not started', async () => {
    const other = startSession(['--helm', '--port', '9443'])
    expect(await other.exited).toBe(1)
    expect(other.output()).toBe('--helm takes no other option; use helm upgrade once it runs\n')
    await expectNothingLeft(other)
  })
})
