import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, onTestFinished, test } from 'vitest'

import { run } from './run-in-process.ts'

const COMMAND = '$ npm run --silent meshward -- '
const readme = readFileSync('README.md', 'utf8')
const blocks = [...readme.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, text = '']) => text)
const shipped = { shippedPolicies: 'policies' }

describe('the README', () => {
  const runs = blocks
    .filter((block) => block.startsWith(COMMAND))
    .map((block) => {
      const [command = '', ...output] = block.slice(COMMAND.length).split('\n')
      return { command, output: output.join('\n') }
    })

  test('says how many rules ship', () => {
    const folders = readdirSync('policies', { recursive: true, encoding: 'utf8' })
    const shippedRules = folders.filter((path) => path.endsWith('/policy.yaml'))
    expect(readme).toContain(`\n${shippedRules.length} rules ship with it: `)
  })

  test('shows a check, a fix and two inspections', () => {
    expect(runs.map(({ command }) => command.split(' ')[0])).toStrictEqual(['check', 'fix', 'inspect', 'inspect'])
  })

  test.each(runs)('shows what `$command` prints', async ({ command, output }) => {
    expect((await run(command.split(' '), shipped)).stdout).toBe(output)
  })

  test('has a binding that holds where it says, and nowhere else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'readme-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const bindings = join(folder, 'bindings.yaml')
    writeFileSync(bindings, blocks.find((block) => block.includes('kind: MeshPolicyBinding')) ?? '')
    const text = readFileSync('examples/virtual-service-without-timeout.yaml', 'utf8')
    const check = ['check', '-', '--bindings', bindings, '-o', 'json']
    const inReports = await run(check, {
      ...shipped,
      stdin: text.replace('namespace: shop', 'namespace: reports-daily'),
    })
    const elsewhere = await run(check, { ...shipped, stdin: text })
    expect([inReports, elsewhere].map(({ stdout }) => JSON.parse(stdout).summary)).toStrictEqual([
      { deny: 0, warn: 1, audit: 0, error: 0, skipped: 1 },
      { deny: 0, warn: 0, audit: 0, error: 0, skipped: 1 },
    ])
  })
})
