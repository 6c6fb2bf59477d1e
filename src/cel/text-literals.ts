import type { ASTNode } from '@marcbachmann/cel-js'

import { walk } from './ast.ts'
import type { Token } from './tokens.ts'

const TEXT = /^([bB]?)([rR]?)("""|'''|"|')([^]*)\3$/

/**
 * Strings with escapes and bytes, which the engine's parser reads in other ways than Go does. In the text for the parser
 * filling of the same length stands in their places, so that every position stays what it was; what they mean is
 * remembered by where they start. Those that cannot be read are left to the parser.
 */
export function maskTexts(
  source: string,
  tokens: readonly Token[],
): { readonly text: string; readonly values: ReadonlyMap<number, string | Uint8Array> } {
  const values = new Map<number, string | Uint8Array>()
  const parts: string[] = []
  let from = 0
  for (const { text, start } of tokens) {
    const [, bytes = '', raw = '', quotes = '', content = ''] = TEXT.exec(text) ?? []
    if (quotes === '' || (bytes === '' && !content.includes('\\'))) continue
    if (bytes === '' && raw !== '') continue
    const value = decode(content, bytes === '' ? 'string' : 'bytes', raw === '' ? 'escapes' : 'raw')
    if (value === undefined) continue
    const shift = bytes !== '' && raw !== '' ? ' ' : ''
    values.set(start + shift.length, value)
    const prefix = bytes === '' ? '' : 'b'
    parts.push(source.slice(from, start), shift, prefix, quotes, 'x'.repeat(content.length), quotes)
    from = start + text.length
  }
  parts.push(source.slice(from))
  return { text: parts.join(''), values }
}

/** Gives the nodes of such literals their values. */
export function restoreTexts(root: ASTNode, values: ReadonlyMap<number, string | Uint8Array>): void {
  if (values.size === 0) return
  walk(root, (node) => {
    const value = node.op === 'value' ? values.get(node.start) : undefined
    if (value !== undefined) Object.assign(node, { args: value })
  })
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}

const ESCAPE =
  /\\(?:([abfnrtv\\'"`?])|[xX]([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-3][0-7]{2}))|\\|([^\\]+)/g

/** Source: cel-go `parser/unescape.go`. In bytes, hexadecimal and octal escapes are bytes; all else is UTF-8. */
function decode(content: string, kind: 'string' | 'bytes', form: 'raw' | 'escapes'): string | Uint8Array | undefined {
  const lines = content.replaceAll(/\r\n?/g, '\n')
  const encoder = new TextEncoder()
  if (form === 'raw') return kind === 'bytes' ? encoder.encode(lines) : lines
  const bytes: number[] = []
  let text = ''
  for (const [, named, hex, short, long, octal, plain] of lines.matchAll(ESCAPE)) {
    const escaped = plain ?? (named === undefined ? undefined : ESCAPES[named])
    const digits = hex ?? octal
    const point = digits === undefined ? undefined : Number.parseInt(digits, hex === undefined ? 8 : 16)
    if (kind === 'bytes') {
      if (escaped === undefined && point === undefined) return undefined
      if (point === undefined) for (const byte of encoder.encode(escaped)) bytes.push(byte)
      else bytes.push(point)
      continue
    }
    const code = point ?? Number.parseInt(short ?? long ?? '', 16)
    if (escaped === undefined && !isScalar(code)) return undefined
    text += escaped ?? String.fromCodePoint(code)
  }
  return kind === 'bytes' ? Uint8Array.from(bytes) : text
}

function isScalar(code: number): boolean {
  return code >= 0 && code <= 0x10_ffff && !(code >= 0xd800 && code <= 0xdfff)
}
