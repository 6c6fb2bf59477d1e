import { endsOperand } from './grammar.ts'
import type { Token } from './tokens.ts'

/**
 * Two signs in front of a value are none, whatever its type: `!!object.spec.on` promises no bool. Blanks take their
 * place, so that nothing moves. Source: cel-go `parser/parser.go`, VisitLogicalNot and VisitNegate.
 */
export function maskSigns(source: string, tokens: readonly Token[]): string {
  const signs = new Set<number>()
  let before = ''
  for (let place = 0; place < tokens.length; place += 1) {
    const [token, next] = [tokens[place], tokens[place + 1]]
    if (token === undefined) break
    const isSign = token.text === '!' || (token.text === '-' && !endsOperand(before))
    if (isSign && next?.text === token.text) {
      signs.add(token.start).add(next.start)
      place += 1
    } else before = token.text
  }
  return signs.size === 0 ? source : source.replaceAll(/[!-]/g, (sign, at: number) => (signs.has(at) ? ' ' : sign))
}
