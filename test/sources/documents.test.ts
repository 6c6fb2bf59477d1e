import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'

import { readTexts } from '../../src/sources/documents.ts'

const root = mkdtempSync(join(tmpdir(), 'meshward-documents-'))
afterAll(() => rmSync(root, { recursive: true }))
const noInput = { read: () => new Uint8Array() }

function lay(...files: readonly string[]): string {
  const folder = mkdtempSync(join(root, 'case-'))
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), `# ${file}`)
  }
  return folder
}

/** Each text as `origin file`, the folder left out. */
function read(folder: string, ...paths: readonly string[]): readonly string[] {
  const { texts, errors } = readTexts(
    paths.map((path) => join(folder, path)),
    noInput,
  )
  return [
    ...texts.map(({ file, origin, text }) => `${origin} ${file.slice(folder.length + 1)}: ${text}`),
    ...errors.map(({ file, code }) => `${code} ${file.slice(folder.length + 1)}`),
  ]
}

describe('which texts are read', () => {
  test('of a folder every manifest in it and below, in order of names', () => {
    const folder = lay('b.yml', 'a.yaml', 'c.JSON', 'sub/deep/d.yaml', 'README.md', 'values.yaml.bak', 'x.tpl')
    expect(read(folder, '.')).toStrictEqual([
      'found a.yaml: # a.yaml',
      'found b.yml: # b.yml',
      'found c.JSON: # c.JSON',
      'found sub/deep/d.yaml: # sub/deep/d.yaml',
    ])
  })

  test('hidden entries and node_modules are no manifests', () => {
    expect(read(lay('.git/config.yaml', '.hidden.yaml', 'node_modules/p/p.json', 'a.yaml'), '.')).toStrictEqual([
      'found a.yaml: # a.yaml',
    ])
  })

  test('a file that is named is read whatever it is called', () => {
    expect(read(lay('manifest.txt', '.hidden'), 'manifest.txt', '.hidden')).toStrictEqual([
      'named manifest.txt: # manifest.txt',
      'named .hidden: # .hidden',
    ])
  })

  test('a file is read once, however often and by whatever link it is given', () => {
    const folder = lay('a.yaml', 'sub/b.yaml')
    symlinkSync(join(folder, 'a.yaml'), join(folder, 'z.yaml'))
    expect(read(folder, 'a.yaml', '.', 'z.yaml', 'sub')).toStrictEqual([
      'named a.yaml: # a.yaml',
      'found sub/b.yaml: # sub/b.yaml',
    ])
  })

  test('links to folders are followed, and end where they began', () => {
    const folder = lay('real/a.yaml')
    symlinkSync(folder, join(folder, 'real/up'))
    symlinkSync(join(folder, 'real'), join(folder, 'alias'))
    expect(read(folder, '.')).toStrictEqual(['found alias/a.yaml: # real/a.yaml'])
  })

  test('a mounted ConfigMap is read through its links, once', () => {
    const folder = lay('..2026_01_01/a.yaml')
    symlinkSync('..2026_01_01', join(folder, '..data'))
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'))
    expect(read(folder, '.')).toStrictEqual(['found a.yaml: # ..2026_01_01/a.yaml'])
  })

  test('what cannot be read is an error, and the rest is read', () => {
    expect(read(lay('empty/x.md', 'a.yaml'), 'nowhere', 'empty', 'a.yaml')).toStrictEqual([
      'named a.yaml: # a.yaml',
      'FILE-01 nowhere',
      'FILE-04 empty',
    ])
  })

  test('- is standard input, read once', () => {
    let reads = 0
    const { texts, errors } = readTexts(['-', '-'], {
      read: () => {
        reads += 1
        return new TextEncoder().encode('\uFEFFa: 1')
      },
    })
    expect({ texts, errors, reads }).toStrictEqual({
      texts: [{ file: '-', text: '\uFEFFa: 1', origin: 'named' }],
      errors: [],
      reads: 1,
    })
  })
})
