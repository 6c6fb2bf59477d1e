import { parser } from '@prometheus-io/lezer-promql'

/** What a query asks for. */
export interface Query {
  /** The texts at which it is no PromQL. */
  readonly errors: readonly string[]
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[]
  /** Labels of `by (…)`. */
  readonly groupedBy: readonly string[]
}

/** Reads a query by Prometheus' own grammar. */
export function readQuery(text: string): Query {
  const errors: string[] = []
  const selectors: { metric: string; labels: string[] }[] = []
  const groupedBy: string[] = []
  parser.parse(text).iterate({
    enter: ({ name, type, from, to, node }) => {
      const written = text.slice(from, to)
      if (type.isError) errors.push(`at ${from}: ${written}`)
      else if (name === 'Identifier') selectors.push({ metric: written, labels: [] })
      else if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') groupedBy.push(written)
      else if (name === 'LabelName') selectors.at(-1)?.labels.push(written)
    },
  })
  return { errors, selectors, groupedBy }
}
