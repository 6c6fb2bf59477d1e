import { describe, expect, test } from 'vitest'
import type { Log, Replacement, Result } from 'sarif'

import { CLEAN, run, THINGS } from './run-in-process.ts'

const NASTY = 'test/cli/fixtures/manifests/nasty.yaml'
const BROKEN = 'apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: a, labels: { owner: x } }\n---\na: b: c\n'

describe('github', () => {
  test('annotates the line of each finding and error', async () => {
    expect((await run(['check', '-o', 'github', '--only', 'TST-01,TST-02,TST-03', THINGS])).stdout)
      .toBe(`::error file=test/cli/fixtures/manifests/things.yaml,line=9,col=9,title=TST-01::spec.mode: mode LOOSE is loose%0Aset mode to STRICT
::warning file=test/cli/fixtures/manifests/things.yaml,line=13,col=7,title=TST-02::spec.steps[1].timeout: has no timeout%0Aset a timeout, such as 15s
::notice file=test/cli/fixtures/manifests/things.yaml,line=17,col=11,title=TST-03::metadata.labels.owner: nobody owns this%0Aset the label owner to your team
2 objects checked: 1 deny, 1 warn, 1 audit, 0 errors
`)
    expect((await run(['check', '-o', 'github', '-'], { stdin: BROKEN })).stdout)
      .toBe(`::error title=DOC-01::a second ": " on one line; put quotes around a value that contains ": ", or check the indentation
1 objects checked: 0 deny, 0 warn, 0 audit, 1 errors
`)
  })

  test('is not led astray by values that look like commands', async () => {
    const { stdout } = await run(['check', '-o', 'github', NASTY])
    expect(stdout.split('\n')).toHaveLength(3)
    expect(stdout).toContain('mode one two ]]> <&> %250A, ::error::%0D\u0001 😀 is loose%0Aset mode to STRICT\n')
  })

  test('escapes what ends a property', async () => {
    const { stdout } = await run(['check', '-o', 'github', 'test/cli/fixtures/no,such:file%.yaml'])
    expect(stdout).toContain('::error file=test/cli/fixtures/no%2Csuch%3Afile%25.yaml,title=FILE-01::')
  })
})

describe('junit', () => {
  test('has a suite for each file and a case for each object', async () => {
    expect((await run(['check', '-o', 'junit', '--only', 'TST-01,TST-03', THINGS, CLEAN])).stdout)
      .toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="meshward" tests="3" failures="1" errors="0">
  <testsuite name="test/cli/fixtures/manifests/things.yaml" tests="2" failures="1" errors="0">
    <testcase classname="test/cli/fixtures/manifests/things.yaml" name="Thing shop/first">
      <failure type="TST-01" message="TST-01 spec.mode: mode LOOSE is loose">Deny: TST-01 spec.mode: mode LOOSE is loose
test/cli/fixtures/manifests/things.yaml:9:9
set mode to STRICT</failure>
    </testcase>
    <testcase classname="test/cli/fixtures/manifests/things.yaml" name="Thing default/second">
      <system-out>Audit: TST-03 metadata.labels.owner: nobody owns this
test/cli/fixtures/manifests/things.yaml:17:11
set the label owner to your team</system-out>
    </testcase>
  </testsuite>
  <testsuite name="test/cli/fixtures/manifests/clean.yaml" tests="1" failures="0" errors="0">
    <testcase classname="test/cli/fixtures/manifests/clean.yaml" name="Thing default/clean"/>
  </testsuite>
</testsuites>
`)
  })

  test('fails what --fail-on says, and errors always', async () => {
    const counts = async (...args: readonly string[]): Promise<string | undefined> =>
      /<testsuites.*>/.exec((await run(['check', '-o', 'junit', ...args], { stdin: BROKEN })).stdout)?.[0]
    expect(await counts('--fail-on', 'audit', THINGS)).toBe(
      '<testsuites name="meshward" tests="2" failures="2" errors="0">',
    )
    expect(await counts('--fail-on', 'never', THINGS)).toBe(
      '<testsuites name="meshward" tests="2" failures="0" errors="0">',
    )
    expect(await counts('--fail-on', 'never', '-')).toBe(
      '<testsuites name="meshward" tests="2" failures="0" errors="1">',
    )
  })

  test.each([[NASTY], [THINGS], [CLEAN], ['test/cli/fixtures/<no>&such"file.yaml']])(
    'is well-formed XML for %s',
    async (path) => {
      expect(malformation((await run(['check', '-o', 'junit', path])).stdout)).toBeUndefined()
    },
  )
})

describe('sarif', () => {
  async function sarif(...args: readonly string[]): Promise<Log['runs'][number]> {
    const { stdout } = await run(['check', '-o', 'sarif', ...args], { stdin: BROKEN })
    const log: Log = JSON.parse(stdout)
    expect({ version: log.version, runs: log.runs.length }).toStrictEqual({ version: '2.1.0', runs: 1 })
    const [only] = log.runs
    if (only === undefined) throw new Error('no run')
    return only
  }

  test('says what was found, where, and how to mend it', async () => {
    const { results, columnKind, invocations } = await sarif('--only', 'TST-01', THINGS)
    expect({ results, columnKind, invocations }).toStrictEqual({
      columnKind: 'utf16CodeUnits',
      invocations: [{ executionSuccessful: true, toolExecutionNotifications: [] }],
      results: [
        {
          ruleId: 'TST-01',
          ruleIndex: 0,
          level: 'error',
          message: { text: 'spec.mode: mode LOOSE is loose; set mode to STRICT' },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: 'test/cli/fixtures/manifests/things.yaml' },
                region: { startLine: 9, startColumn: 9, endLine: 9, endColumn: 16 },
              },
              logicalLocations: [
                { name: 'spec.mode', fullyQualifiedName: 'Thing/shop/first/spec.mode', kind: 'member' },
              ],
            },
          ],
          partialFingerprints: { 'meshward/v1': expect.stringMatching(/^[0-9a-f]{32}$/) },
          fixes: [
            {
              description: { text: 'set mode to STRICT' },
              artifactChanges: [
                {
                  artifactLocation: { uri: 'test/cli/fixtures/manifests/things.yaml' },
                  replacements: [
                    {
                      deletedRegion: { startLine: 9, startColumn: 9, endLine: 9, endColumn: 16 },
                      insertedContent: { text: "'STRICT'" },
                    },
                  ],
                },
              ],
            },
          ],
        },
      ],
    })
  })

  test('describes every rule that was asked, and results point at theirs', async () => {
    const { tool, results } = await sarif(THINGS)
    expect(
      tool.driver.rules?.map(({ id, name, defaultConfiguration }) => [id, name, defaultConfiguration?.level]),
    ).toStrictEqual([
      ['TST-01', 'forbid-loose', 'error'],
      ['TST-02', 'require-timeout', 'warning'],
      ['TST-03', 'require-owner', 'note'],
      ['TST-04', 'limit-size', 'error'],
    ])
    for (const { ruleId, ruleIndex } of results ?? []) expect(tool.driver.rules?.[ruleIndex ?? -1]?.id).toBe(ruleId)
    expect(results?.map(({ level }) => level)).toStrictEqual(['error', 'warning', 'note', 'error'])
  })

  test('tells what could not be read as notifications', async () => {
    const { invocations } = await sarif('-')
    expect(invocations).toStrictEqual([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [
          {
            descriptor: { id: 'DOC-01' },
            level: 'error',
            message: {
              text: 'a second ": " on one line; put quotes around a value that contains ": ", or check the indentation',
            },
            locations: [
              { physicalLocation: { artifactLocation: { uri: 'stdin' }, region: { startLine: 5, startColumn: 4 } } },
            ],
          },
        ],
      },
    ])
  })

  test('fingerprints stay when lines move and differ between places', async () => {
    const prints = async (stdin: string): Promise<readonly unknown[] | undefined> => {
      const log: Log = JSON.parse((await run(['check', '-o', 'sarif', '--only', 'TST-02', '-'], { stdin })).stdout)
      return log.runs[0]?.results?.map(({ partialFingerprints }) => partialFingerprints)
    }
    const thing =
      'apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: a }\nspec: { steps: [{ run: x }, { run: y }] }\n'
    const [first, second] = (await prints(thing)) ?? []
    expect(first).not.toStrictEqual(second)
    expect(await prints(`# moved\n\n${thing}`)).toStrictEqual([first, second])
  })

  test.each<readonly [name: string, text: string]>([
    ['in block style', 'spec:\n  mode: LOOSE # x\n'],
    ['in flow style', 'spec: { mode: "LOOSE", size: 1 }\n'],
    ['from an alias', 'base: &b { mode: LOOSE }\nspec: *b\n'],
  ])('its replacements are the fix, %s', async (_, spec) => {
    const stdin = `apiVersion: example.io/v1\nkind: Thing\nmetadata: { name: a, labels: { owner: x } }\n${spec}`
    const log: Log = JSON.parse((await run(['check', '-o', 'sarif', '-'], { stdin })).stdout)
    const mended = applyFix(stdin, log.runs[0]?.results?.[0])
    expect(await run(['check', '--fail-on', 'audit', '-'], { stdin: mended })).toMatchObject({ code: 0 })
    expect(mended).toBe((await run(['fix', '-o', 'yaml', '-'], { stdin })).stdout)
  })
})

function applyFix(text: string, result: Result | undefined): string {
  const replacements = result?.fixes?.[0]?.artifactChanges[0]?.replacements ?? []
  const lines = text.split('\n')
  const offset = (line = 1, column = 1): number =>
    lines.slice(0, line - 1).join('\n').length + (line > 1 ? 1 : 0) + column - 1
  const edits = replacements.map(({ deletedRegion, insertedContent }: Replacement) => ({
    start: offset(deletedRegion.startLine, deletedRegion.startColumn),
    end: offset(deletedRegion.endLine, deletedRegion.endColumn),
    text: insertedContent?.text ?? '',
  }))
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((result, { start, end, text }) => result.slice(0, start) + text + result.slice(end), text)
}

/** What is wrong with an XML text, if anything: tags that do not match, characters that XML does not have, bare & or <. */
function malformation(xml: string): string | undefined {
  const open: string[] = []
  const token = /<\?xml[^?]*\?>|<(\/?)([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex
    const match = token.exec(xml)
    if (match === null) return `no tag at ${at}: ${xml.slice(at, at + 40)}`
    const [whole, closing, name = '', , empty] = match
    if (/[^\P{Cc}\t\n]/u.test(whole)) return `a control character in ${whole}`
    if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(whole)) return `a bare & in ${whole}`
    if (closing === '/') {
      if (open.pop() !== name) return `</${name}> does not match`
    } else if (name !== '' && empty !== '/') open.push(name)
  }
  return open.length === 0 ? undefined : `${open.join(', ')} not closed`
}
