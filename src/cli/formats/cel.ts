import type { Json } from '../../kube/json.ts'
import { blockLines } from '../../kube/yaml-text.ts'

/** What came of an expression. `cost` is in Kubernetes' units. */
export type CelAnswer =
  | { readonly value: Json; readonly type: string; readonly cost: number }
  | { readonly error: CelProblem }

/** Why there is no value; `start` and `end` are offsets in the expression. */
interface CelProblem {
  readonly code: string
  readonly message: string
  readonly start: number
  readonly end: number
}

/** For people: the value as YAML, then its type and cost; or the part of the expression that is wrong. */
export function formatCel(expression: string, answer: CelAnswer): string {
  if ('error' in answer) return formatProblem(expression, answer.error)
  const value = blockLines(answer.value, { indent: 2, listIndent: 2, lineBreak: '\n' })
  return `${value.join('\n')}\n\ntype ${answer.type}, cost ${answer.cost}\n`
}

function formatProblem(expression: string, { code, message, start, end }: CelProblem): string {
  const lineStart = expression.lastIndexOf('\n', start - 1) + 1
  const [line = ''] = expression.slice(lineStart).split('\n', 1)
  const width = Math.max(1, Math.min(end - start, line.length - (start - lineStart)))
  return [
    `error[${code}] ${message}`,
    `  | ${line}`,
    `  | ${' '.repeat(start - lineStart)}${'^'.repeat(width)}`,
    '',
  ].join('\n')
}
