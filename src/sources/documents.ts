import { readdirSync, readFileSync, realpathSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'

import type { InputError } from './input-error.ts'
import type { SourceText } from './manifests.ts'
import { readingProblem } from './reading-problem.ts'

export interface TextsRead {
  readonly texts: readonly SourceText[]
  readonly errors: readonly InputError[]
}

/** Standard input is read by whoever owns it, and only where `-` is among the paths. */
export interface StandardInput {
  read(): Uint8Array
}

// more than parseYamlDocuments takes in any encoding, so that nothing enormous comes into memory
const MAX_BYTES = 32 * 1024 * 1024

/**
 * The texts of files, folders and `-` (standard input), each once, in the order they were given; folders are walked in
 * order of names. In a folder `.yaml`, `.yml` and `.json` count; hidden entries and `node_modules` do not. What cannot
 * be read is an error and does not stop the rest. Never throws.
 */
export function readTexts(paths: readonly string[], standardInput: StandardInput): TextsRead {
  const walk: Walk = { texts: [], errors: [], seen: new Set(), standardInput }
  for (const path of paths) {
    if (path === '-') readStandardInput(walk)
    else readPath(walk, path)
  }
  return { texts: walk.texts, errors: walk.errors }
}

interface Walk {
  readonly texts: SourceText[]
  readonly errors: InputError[]
  /** Real paths read so far: a link may lead back, and a file may be given twice. */
  readonly seen: Set<string>
  readonly standardInput: StandardInput
}

function readStandardInput(walk: Walk): void {
  if (walk.seen.has('-')) return
  walk.seen.add('-')
  decode(walk, '-', 'named', () => walk.standardInput.read())
}

function readPath(walk: Walk, path: string): void {
  const stats = attempt(walk, path, () => statSync(path))
  if (stats === undefined || isSeen(walk, path)) return
  if (!stats.isDirectory()) {
    readFile(walk, path, stats, 'named')
    return
  }
  const before = walk.texts.length + walk.errors.length
  readFolder(walk, path)
  if (walk.texts.length + walk.errors.length > before) return
  const message = 'this folder holds no .yaml, .yml or .json file; name the folder that has your manifests'
  walk.errors.push({ code: 'FILE-04', file: path, message })
}

function readFolder(walk: Walk, folder: string): void {
  const names = attempt(walk, folder, () => readdirSync(folder).sort())
  for (const name of names ?? []) {
    if (name.startsWith('.') || name === 'node_modules') continue
    const path = join(folder, name)
    const stats = attempt(walk, path, () => statSync(path))
    if (stats === undefined) continue
    if (stats.isDirectory()) {
      if (!isSeen(walk, path)) readFolder(walk, path)
    } else if (stats.isFile() && /\.(?:ya?ml|json)$/i.test(name) && !isSeen(walk, path)) {
      readFile(walk, path, stats, 'found')
    }
  }
}

function readFile(walk: Walk, path: string, stats: Stats, origin: SourceText['origin']): void {
  if (stats.size > MAX_BYTES) {
    const message = `${(stats.size / 1024 / 1024).toFixed(1)} MiB are too much for one file of manifests; split it`
    walk.errors.push({ code: 'DOC-03', file: path, message })
  } else decode(walk, path, origin, () => readFileSync(path))
}

function decode(walk: Walk, path: string, origin: SourceText['origin'], read: () => Uint8Array): void {
  const bytes = attempt(walk, path, read)
  if (bytes === undefined) return
  try {
    walk.texts.push({
      file: path,
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      origin,
    })
  } catch {
    walk.errors.push({
      code: 'FILE-03',
      file: path,
      message: 'this is not UTF-8 text; save it as UTF-8, or leave it out',
    })
  }
}

function isSeen(walk: Walk, path: string): boolean {
  const real = realpathSync(path)
  if (walk.seen.has(real)) return true
  walk.seen.add(real)
  return false
}

function attempt<T>(walk: Walk, path: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    walk.errors.push({ ...readingProblem(error), file: path })
    return undefined
  }
}
