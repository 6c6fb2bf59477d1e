import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { expectNothingLeft, printed, startSession, type Session } from '../playground-session.ts'

const root = join(import.meta.dirname, '../../..')

/** Without the time of an installation. */
function undated(text: string): string {
  return text.replace(/^LAST DEPLOYED: .*$/m, '').trimEnd()
}

describeNodes('npm run playground -- --helm', () => {
  let session: Session
  beforeAll(async () => {
    session = startSession(['--helm'])
    await printed(session, /Ctrl-C ends everything/, 300_000)
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
    expect(Number(seconds)).toBeGreaterThan(0)
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

  test('what the README shows of an installation is what one sees', { timeout: 180_000 }, async () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const [, block = ''] = /^```\n(\$ helm install [^]*?)^```$/m.exec(readme) ?? []
    const shown = block.split(/^\$ /m).slice(1)
    expect(shown.map((text) => text.split(' ', 2).join(' '))).toEqual(['helm install', 'kubectl apply'])
    // the guide has let it in, and what is there already is not refused
    shell('kubectl delete -f examples/permissive-peer-authentication.yaml')
    for (const text of shown) {
      const [command = ''] = text.split('\n', 1)
      // until the leader has filled the webhook configurations, nothing is denied; a dry run stores nothing meanwhile
      if (command.startsWith('kubectl')) {
        await eventually({ what: 'a denial', within: 100_000, every: 250 }, () =>
          shell(`${command} --dry-run=server`).code === 1 ? true : undefined,
        )
      }
      expect(undated(shell(command).said)).toBe(undated(text.slice(command.length + 1)))
    }
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
