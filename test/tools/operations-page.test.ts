import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { isMap, isScalar, parseDocument } from 'yaml'

// What docs/operations.md names is there.

const page = readFileSync('docs/operations.md', 'utf8')
const links = [...page.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, text = '', target = '']) => ({ text, target }))
const rows = [...page.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, number, what = '', tests = '']) => ({
  number: Number(number),
  what,
  tests,
}))

describe('the table of requirements', () => {
  test('has every one of the 24, with a test or the word that it is separate work', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 24 }, (_, index) => index + 1))
    const without = rows.filter(({ tests }) => !tests.includes('](../test/'))
    expect(without.map(({ number, tests }) => `${number} ${tests}`)).toEqual(['17 separate work', '18 separate work'])
  })

  const named = links.filter(({ target }) => /^\.\.\/test\/.*\.test\.ts$/.test(target))
  const inTable = named.filter(({ text, target }) => !target.endsWith(text))
  test.each(inTable)('$target has the test "$text"', ({ text, target }) => {
    const source = readFileSync(join('docs', target), 'utf8')
    const literals = [...source.matchAll(/(?:\btest\(|\)\(|^)\s*(['"`])((?:\\.|(?!\1).)+)\1\s*,/gm)]
    expect(literals.map(([, , name]) => name)).toContain(text)
  })
})

test.each(links.filter(({ target }) => !/^https?:/.test(target)))(
  'the link to $target leads somewhere',
  ({ target }) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? 'docs/operations.md' : join('docs', path)
    expect(existsSync(file)).toBe(true)
    if (anchor === undefined) return
    const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => slugOf(title))
    expect(headings).toContain(anchor)
  },
)

describe('values', () => {
  let known: ReadonlySet<string>
  beforeAll(() => {
    known = new Set(pathsOf(parseDocument(readFileSync('charts/meshward/values.yaml', 'utf8')).contents, []))
  })

  // `a.b.c`, `a.b=value`, --set a=value
  const roots =
    /^(?:enforcement|istio|policies|webhook|certificates|metrics|tracing|debug|autoscaling|hostNetwork|shutdownDelay|maxStaleness)\b/
  const written = [...page.matchAll(/`(?:--set )?([a-z][A-Za-z.]+)(?:=[^`]*)?`|--set ([a-z][A-Za-z.]+)=/g)]
    .map(([, inline, argument]) => inline ?? argument ?? '')
    .filter((path) => roots.test(path))
  test.each([...new Set(written)])('%s is one', (path) => {
    expect([...known]).toContain(path)
  })
})

/** As GitHub makes anchors of headings. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-')
}

/** Every path of a map, with those of the maps in it. */
function pathsOf(node: unknown, path: readonly string[]): readonly string[] {
  const here = path.length === 0 ? [] : [path.join('.')]
  if (!isMap(node)) return here
  const below = node.items.flatMap(({ key, value }) =>
    isScalar(key) ? pathsOf(value, [...path, String(key.value)]) : [],
  )
  return [...here, ...below]
}
