const QUOTED = String.raw`"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*'`
const RAW = String.raw`[bB]?[rR](?:"""[^]*?"""|'''[^]*?'''|"[^"\n]*"|'[^'\n]*')`
const TOKEN = new RegExp(String.raw`\/\/[^\n]*|${RAW}|[bB]?(?:${QUOTED})|\w+|[=!<>]=|&&|\|\||[^\s]`, 'g')

export interface Token {
  readonly text: string
  /** Offset in the source. */
  readonly start: number
}

/** The parts of a source between blanks and comments: names, numbers, whole strings, operators, single characters. */
export function tokensOf(source: string): readonly Token[] {
  return Array.from(source.matchAll(TOKEN), ({ 0: text, index }) => ({ text, start: index })).filter(
    ({ text }) => !text.startsWith('//'),
  )
}
