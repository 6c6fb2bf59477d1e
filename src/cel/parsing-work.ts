import type { ASTNode } from '@marcbachmann/cel-js'

import { evaluateAround } from './engine-nodes.ts'
import type { Work } from './runtime.ts'

/** Units of work for reading a short text, by the functions that read one, as the engine calls them. */
const READERS: Readonly<Record<string, number>> = {
  ip: 20,
  isIP: 20,
  isCanonical: 20,
  cidr: 20,
  isCIDR: 20,
  containsIP: 20,
  containsCIDR: 20,
  quantity: 15,
  isQuantity: 15,
  semver: 15,
  isSemver: 15,
  url: 15,
  isURL: 15,
  validate: 10,
  dur_duration: 5,
  ts_timestamp: 10,
  to_int: 5,
  to_uint: 5,
  to_double: 5,
}

/** Members of a timestamp look up a zone. */
const ZONED = /(?:^|_)get(?:FullYear|Month|Date|DayOf|Hours|Minutes|Seconds|Milliseconds)/
const PER_ZONE = 300

type Call = ASTNode & { readonly op: 'call' | 'rcall' }

/** Has a call that reads a text pay for that: by the text, and by the square of its length where digits become a number. */
export function payForReading(node: Call, work: Work): void {
  const name = node.args[0]
  const [text] = node.op === 'call' ? node.args[1] : node.args[2]
  const isZoned = ZONED.test(name)
  const units = isZoned ? PER_ZONE : Object.hasOwn(READERS, name) ? READERS[name] : undefined
  if (text === undefined || units === undefined || (text.op === 'value' && !isZoned)) return
  const isNumber = name === 'quantity' || name === 'isQuantity'
  evaluateAround(text, (evaluate) => (evaluator, _, context) => {
    const value = evaluate(evaluator, context)
    const length = typeof value === 'string' ? value.length : 0
    work.charge(units + length / 2 + (isNumber ? (length / 1000) ** 2 : 0))
    return value
  })
}
