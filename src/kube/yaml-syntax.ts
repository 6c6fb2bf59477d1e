import { Composer, CST, Lexer, Parser, type Document, type ErrorCode, type ParsedNode } from 'yaml'

/** A document as the `yaml` package composes it, or what is wrong with it and where (offset into the chunk). */
export type SyntaxOutcome =
  | { readonly ok: true; readonly contents: ParsedNode | null }
  | {
      readonly ok: false
      readonly problem: 'syntax' | 'nesting' | 'size'
      readonly offset: number
      readonly message: string
    }

/** Deep enough for any object that people write (CRD schemas reach about 60), shallow enough for every recursion. */
export const MAX_NESTING = 200

/** A document of 3 MiB in block style has some 700,000; a million bounds the time and memory of hostile ones. */
export const MAX_TOKENS = 1_000_000

/**
 * Parses one chunk of a YAML stream. The nesting is bounded while the text is read, before anything recurses: the
 * package itself dies on a megabyte of `[`. Scalars stay the text that was written; what they mean is decided by
 * resolvePlainScalar. Never throws.
 */
export function parseYamlSyntax(chunk: string): readonly SyntaxOutcome[] {
  const parser = new Parser()
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' })
  const documents: Document.Parsed[] = []
  let tokens = 0
  const lexemes = new Lexer().lex(chunk)
  for (const lexeme of COLON_AT_END.test(chunk) ? keepColons(lexemes) : lexemes) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    tokens += 1
    const problem = nesting(parser) > MAX_NESTING ? 'nesting' : tokens > MAX_TOKENS ? 'size' : undefined
    if (problem !== undefined) {
      return [
        ...documents.map((document) => toOutcome(document, chunk)),
        { ok: false, problem, offset: parser.offset, message: '' },
      ]
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end())
  return documents.map((document) => toOutcome(document, chunk))
}

/** How many maps and lists are open: the parser's stack without the document and the scalar at hand. */
function nesting({ stack }: Parser): number {
  const top = stack.at(-1)
  return stack.length - 1 - (top !== undefined && 'items' in top ? 0 : 1)
}

/**
 * In `[2001:db8::]` the last colon belongs to the address for Kubernetes (go-yaml v2: a colon ends an unquoted text
 * only before white space), for the package it makes the item a map.
 */
function* keepColons(lexemes: Iterable<string>): Generator<string> {
  let held: readonly string[] = []
  for (const lexeme of lexemes) {
    if ((held.length === 3 || held.length === 5) && FLOW_INDICATORS.has(lexeme)) {
      yield* [CST.SCALAR, `${held[1]}:`, lexeme]
      held = []
    } else if (continuesKey(held.length, lexeme)) {
      held = [...held, lexeme]
    } else {
      yield* held
      held = lexeme === CST.SCALAR ? [lexeme] : []
      if (lexeme !== CST.SCALAR) yield lexeme
    }
  }
  yield* held
}

/** The lexemes of an unquoted key with nothing after it: the mark of a scalar, its text, a colon and, before a comma, an empty scalar. */
function continuesKey(length: number, lexeme: string): boolean {
  switch (length) {
    case 0:
    case 3:
      return lexeme === CST.SCALAR
    case 1:
      return true
    case 2:
      return lexeme === ':'
    default:
      return length === 4 && lexeme === ''
  }
}

function toOutcome(document: Document.Parsed, chunk: string): SyntaxOutcome {
  const [error] = document.errors
  if (error === undefined) return { ok: true, contents: document.contents }
  return {
    ok: false,
    problem: 'syntax',
    offset: Math.min(error.pos[0], chunk.trimEnd().length),
    message: explain(error.code, error.message),
  }
}

function explain(code: ErrorCode, original: string): string {
  const message = original.charAt(0).toLowerCase() + original.slice(1)
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; YAML allows spaces only'
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " on one line; put quotes around a value that contains ": ", or check the indentation'
    case 'MULTILINE_IMPLICIT_KEY':
      return 'this key runs over several lines; check the indentation'
    case 'BAD_SCALAR_START':
      return `${message}; put the value in quotes`
    case 'BAD_DQ_ESCAPE':
      return `${message}; write \\\\ for a backslash, or use single quotes`
    case 'BAD_INDENT':
    case 'MISSING_CHAR':
      return explainMissing(message)
    default:
      return `${message}; check the indentation, quotes and brackets`
  }
}

function explainMissing(message: string): string {
  if (message.startsWith('implicit map keys')) return 'this line is neither "key: value" nor "- item"'
  if (message.includes('quote')) return 'a quoted text is not closed, or one of its lines is not indented'
  const [, bracket] = /end with a ([\]}])/.exec(message) ?? []
  if (bracket === undefined) return `${message}; check the indentation`
  return `a bracket is not closed here; write ${bracket}, and indent what stands between the brackets`
}

/** What a text has that keepColons has something to do for. */
const COLON_AT_END = /:[,\]}]/
const FLOW_INDICATORS: ReadonlySet<string> = new Set([',', ']', '}'])
