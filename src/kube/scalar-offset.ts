import type { SourceScalar } from './source-node.ts'

/**
 * The offset in the file of character `offset` of a decoded string, for every style in which YAML writes strings.
 * It walks both texts side by side: what is folded or indented away is white space, so every other character of the
 * string is met in order. Exact for characters that are not white space; of white space, the place where it begins.
 */
export function offsetInScalar(text: string, scalar: SourceScalar, offset: number): number {
  const decoded = typeof scalar.value === 'string' ? scalar.value : ''
  let at = contentStart(text, scalar)
  for (let index = 0; index <= offset && index < decoded.length; index += 1) {
    const blank = isBlank(decoded.charAt(index))
    if (!blank) at = skipFolded(text, scalar, at)
    if (index === offset) return at
    const length = writtenLength(text, scalar, at)
    if (!blank || length > 1 || isBlank(text.charAt(at))) at += length
    // an escape such as \U0001F600 is one in the file and two in the string
    if (length === 10 && text[at - 9] === 'U') index += 1
  }
  return Math.min(at, scalar.end)
}

function contentStart(text: string, { style, start }: SourceScalar): number {
  if (style === 'plain') return start
  const isBlock = style === 'literal' || style === 'folded'
  return isBlock ? text.indexOf('\n', start) + 1 : start + 1
}

function skipFolded(text: string, scalar: SourceScalar, from: number): number {
  let at = from
  while (at < scalar.end) {
    if (isBlank(text.charAt(at))) at += 1
    else if (scalar.style === 'double-quoted' && /^\\\r?\n/.test(text.slice(at, at + 3))) at += 2
    else break
  }
  return at
}

/** How many characters of the file stand for the one that is written at `at`. */
function writtenLength(text: string, scalar: SourceScalar, at: number): number {
  if (scalar.style === 'single-quoted' && text[at] === "'") return 2
  if (scalar.style !== 'double-quoted' || text[at] !== '\\') return 1
  switch (text[at + 1]) {
    case 'x':
      return 4
    case 'u':
      return 6
    case 'U':
      return 10
    default:
      return 2
  }
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\n' || character === '\t' || character === '\r'
}
