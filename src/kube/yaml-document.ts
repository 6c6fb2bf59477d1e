import type { FieldPath } from './field-path.ts'
import type { Json } from './json.ts'
import { readJsonText } from './json-text.ts'
import { offsetInScalar } from './scalar-offset.ts'
import { dealias, findPlace, type SourceNode } from './source-node.ts'
import { toSourceNode, type MeaningProblem } from './yaml-node.ts'
import { MAX_NESTING, MAX_TOKENS, parseYamlSyntax, type SyntaxOutcome } from './yaml-syntax.ts'

/** A place in a file, both 1-based; columns count UTF-16 units, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One document of a YAML or JSON text: its value as Kubernetes reads it, and where each part of it is written. */
export interface YamlDocument {
  /** Its place among the documents of the text that are not empty, from 0. */
  readonly index: number
  readonly value: Json
  readonly root: SourceNode
  /** The value at the path; of a missing field its nearest existing parent. */
  readonly locate: (path: FieldPath) => Position
  /** The name of the field at the path; of a list item, which has none, its value. */
  readonly locateName: (path: FieldPath) => Position
  /** A character of the decoded text at the path, in whatever style that text is written. */
  readonly locateInScalar: (path: FieldPath, offset: number) => Position
}

/** Why a document cannot be read. The codes are permanent; docs/errors.md has a section for each. */
export interface YamlError extends Position {
  readonly code: 'DOC-01' | 'DOC-02' | 'DOC-03' | 'DOC-04' | 'DOC-05' | 'DOC-06' | 'DOC-07'
  readonly message: string
}

export type YamlOutcome =
  | { readonly ok: true; readonly document: YamlDocument }
  | { readonly ok: false; readonly index: number; readonly error: YamlError }

// one object of at most 3 MiB, which is what kube-apiserver takes in one request, and 1 MiB for comments and indentation
const MAX_DOCUMENT = 4 * 1024 * 1024
// a rendered chart with all its CRDs stays below 6 MiB
const MAX_TEXT = 8 * 1024 * 1024

/**
 * Every document of a YAML stream, or of a JSON text, in order; empty ones are left out. A document that cannot be
 * read is an error in its place and does not touch the others. Size, nesting and the growth of aliases are bounded
 * before anything is built. Reads as Kubernetes does (sigs.k8s.io/yaml). Never throws.
 */
export function parseYamlDocuments(text: string): readonly YamlOutcome[] {
  if (text.length > MAX_TEXT) {
    const message = `the text has ${megabytes(text.length)} MiB; at most ${megabytes(MAX_TEXT)} are read at once, split it`
    return [failure(0, 'DOC-03', { line: 1, column: 1 }, message)]
  }
  return parseJson(text) ?? parseYaml(text)
}

type PositionAt = (offset: number) => Position

function parseJson(text: string): readonly YamlOutcome[] | undefined {
  const start = text.search(/[^\s\uFEFF]/)
  if (text[start] !== '{' && text[start] !== '[') return undefined
  if (!isJson(text.slice(start))) return undefined
  const positionAt = lineIndex(text)
  if (text.length > MAX_DOCUMENT) return [tooLarge(0, text.length, positionAt(start))]
  const read = readJsonText(text, start)
  if (read.ok) return [{ ok: true, document: toDocument(0, text, read.root, positionAt) }]
  if (read.problem === 'nesting') return [tooDeep(0, positionAt(read.offset))]
  return [duplicate(0, read.key, positionAt(read.first), positionAt(read.offset))]
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function parseYaml(original: string): readonly YamlOutcome[] {
  // every break that YAML 1.1 knows ends a line for Kubernetes, and so a comment; each is one character, as \n is
  const text = original.replace(/\r(?!\n)|[\u0085\u2028\u2029]/g, '\n')
  const positionAt = lineIndex(text)
  const outcomes: YamlOutcome[] = []
  for (const chunk of splitStream(text)) {
    const content = text.slice(chunk.start, chunk.end)
    if (content.length > MAX_DOCUMENT) {
      outcomes.push(tooLarge(outcomes.length, content.length, positionAt(chunk.start)))
      continue
    }
    const oddity = findOddity(content)
    if (oddity !== undefined) {
      outcomes.push(failure(outcomes.length, 'DOC-01', positionAt(chunk.start + oddity.offset), oddity.message))
      continue
    }
    for (const syntax of parseYamlSyntax(content)) {
      const outcome = readDocument(syntax, chunk.start, outcomes.length, text, positionAt)
      if (outcome !== undefined) outcomes.push(outcome)
    }
  }
  return outcomes
}

interface Chunk {
  readonly start: number
  readonly end: number
}

/** A line that starts with `---` begins a document whatever it stands in, so each can be read on its own. */
function splitStream(text: string): readonly Chunk[] {
  const starts = [0]
  for (const match of text.matchAll(/^---(?=\s|$)/gm)) if (match.index > 0) starts.push(match.index)
  return starts.map((start, index) => ({ start, end: starts[index + 1] ?? text.length }))
}

/** What the parser would take and Kubernetes would not, or reads otherwise. */
function findOddity(content: string): { readonly offset: number; readonly message: string } | undefined {
  const control = /[^\P{Cc}\t\n\r]|(?<=\n)\uFEFF/u.exec(content)
  if (control !== null) {
    const code = content.charCodeAt(control.index).toString(16).padStart(4, '0').toUpperCase()
    return { offset: control.index, message: `the invisible character U+${code} is not allowed here; remove it` }
  }
  const significant = content.search(/^(?![ \t]*(?:#|\r?$))/m)
  if (content[significant] !== '%') return undefined
  return { offset: significant, message: 'kubectl reads no % directives; remove this line' }
}

function readDocument(
  syntax: SyntaxOutcome,
  base: number,
  index: number,
  text: string,
  positionAt: PositionAt,
): YamlOutcome | undefined {
  if (!syntax.ok) {
    const position = positionAt(base + syntax.offset)
    if (syntax.problem === 'nesting') return tooDeep(index, position)
    if (syntax.problem === 'size') {
      return failure(index, 'DOC-03', position, `this document has more than ${MAX_TOKENS} tokens; split it`)
    }
    return withTemplateHint(failure(index, 'DOC-01', position, syntax.message), text, base)
  }
  if (syntax.contents === null) return undefined
  const source = toSourceNode(syntax.contents, text, base, MAX_DOCUMENT)
  if (!source.ok) return withTemplateHint(meaningFailure(index, source.problem, positionAt), text, base)
  if (source.root.value === null) return undefined
  return { ok: true, document: toDocument(index, text, source.root, positionAt) }
}

function toDocument(index: number, text: string, root: SourceNode, positionAt: PositionAt): YamlDocument {
  return {
    index,
    value: root.value,
    root,
    locate: (path) => positionAt(findPlace(root, path).node.start),
    locateName: (path) => {
      const { node, entry } = findPlace(root, path)
      return positionAt(entry?.keyStart ?? node.start)
    },
    locateInScalar: (path, offset) => {
      const { node, exact } = findPlace(root, path)
      const scalar = dealias(node)
      if (!exact || scalar.kind !== 'scalar') return positionAt(node.start)
      return positionAt(offsetInScalar(text, scalar, offset))
    },
  }
}

function meaningFailure(
  index: number,
  { kind, offset, message, first }: MeaningProblem,
  positionAt: PositionAt,
): FailedOutcome {
  const position = positionAt(offset)
  if (kind === 'duplicate') return duplicate(index, message, positionAt(first ?? offset), position)
  return failure(index, MEANING_CODES[kind], position, message)
}

const MEANING_CODES = { expansion: 'DOC-05', nesting: 'DOC-04', meaning: 'DOC-06' } as const

type FailedOutcome = Extract<YamlOutcome, { ok: false }>

function withTemplateHint(outcome: FailedOutcome, text: string, base: number): FailedOutcome {
  const template = /\{\{.*\}\}/.exec(text.slice(base))
  if (template === null) return outcome
  const message = `this looks like a Helm template (${template[0].slice(0, 40)}); run \`helm template\` first and check what it prints`
  return failure(outcome.index, 'DOC-07', outcome.error, message)
}

function duplicate(index: number, key: string, first: Position, second: Position): FailedOutcome {
  const places = `line ${first.line} column ${first.column} and line ${second.line} column ${second.column}`
  return failure(index, 'DOC-02', second, `key "${key}" is written twice, in ${places}; keep one of them`)
}

function tooDeep(index: number, position: Position): FailedOutcome {
  return failure(index, 'DOC-04', position, `nested deeper than ${MAX_NESTING} levels; no Kubernetes object needs that`)
}

function tooLarge(index: number, length: number, position: Position): FailedOutcome {
  const message = `this document has ${megabytes(length)} MiB; kube-apiserver takes objects of at most 3 MiB, split it`
  return failure(index, 'DOC-03', position, message)
}

function failure(index: number, code: YamlError['code'], { line, column }: Position, message: string): FailedOutcome {
  return { ok: false, index, error: { code, line, column, message } }
}

function megabytes(characters: number): string {
  return (characters / 1024 / 1024).toFixed(1)
}

/** Finds lines by binary search over the starts of all lines, which are looked for when first needed. */
function lineIndex(text: string): PositionAt {
  let starts: readonly number[] | undefined
  return (offset) => {
    starts ??= lineStarts(text)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
