import { Composer, Lexer, Parser, type Document, type ErrorCode, type ParsedNode } from 'yaml'

/** A document as the `yaml` package composes it, or what is wrong with it and where (offset into the chunk). */
export type SyntaxOutcome =
  | { readonly ok: true; readonly contents: ParsedNode | null }
  | { readonly ok: false; readonly problem: 'syntax' | 'nesting'; readonly offset: number; readonly message: string }

/** Deep enough for any object that people write (CRD schemas reach about 60), shallow enough for every recursion. */
export const MAX_NESTING = 200

/**
 * Parses one chunk of a YAML stream. The nesting is bounded while the text is read, before anything recurses: the
 * package itself dies on a megabyte of `[`. Scalars stay the text that was written; what they mean is decided by
 * resolvePlainScalar. Never throws.
 */
export function parseYamlSyntax(chunk: string): readonly SyntaxOutcome[] {
  const parser = new Parser()
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' })
  const documents: Document.Parsed[] = []
  for (const lexeme of new Lexer().lex(chunk)) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    // the stack also holds the document and the scalar at hand
    if (parser.stack.length > MAX_NESTING + 2) {
      return [...documents.map(toOutcome), { ok: false, problem: 'nesting', offset: parser.offset, message: '' }]
    }
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end())
  return documents.map(toOutcome)
}

function toOutcome(document: Document.Parsed): SyntaxOutcome {
  const [error] = document.errors
  if (error === undefined) return { ok: true, contents: document.contents }
  return { ok: false, problem: 'syntax', offset: error.pos[0], message: explain(error.code, error.message) }
}

function explain(code: ErrorCode, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; YAML allows spaces only'
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " on one line; put quotes around a value that contains ": ", or check the indentation'
    case 'MULTILINE_IMPLICIT_KEY':
      return 'this key runs over several lines; check the indentation'
    case 'BAD_INDENT':
      return `${message}; check the indentation and that every bracket is closed`
    case 'BAD_SCALAR_START':
      return `${message}; put the value in quotes`
    case 'BAD_DQ_ESCAPE':
      return `${message}; write \\\\ for a backslash, or use single quotes`
    case 'MISSING_CHAR':
      return message.startsWith('Implicit map keys') ? 'this line is neither "key: value" nor "- item"' : message
    default:
      return message
  }
}
