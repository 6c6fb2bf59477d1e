/** Beyond this many characters a line of CEL is no longer read, only skipped. */
const MOST_CHARACTERS = 200

/** An expression as people are shown it: the whole of a short one, the first words and `…` of a long one. Never longer than 200 characters. */
export function shortExpression(expression: string): string {
  if (expression.length <= MOST_CHARACTERS) return expression
  const start = expression.slice(0, MOST_CHARACTERS - 1)
  const lastSpace = start.lastIndexOf(' ')
  return `${lastSpace > 0 ? start.slice(0, lastSpace + 1) : start}…`
}
