import type { Measurement } from './measure.ts'

/** A table in Markdown: ratios to `reference` first, as they are what holds on another machine. */
export function resultTable(measurements: readonly Measurement[], reference: string): string {
  const rows = measurements.map((row) => {
    const base = measurements.find(({ server, body }) => server === reference && body === row.body)
    if (base === undefined) throw new Error(`${row.body} was not measured on ${reference}`)
    return [
      row.body,
      row.server,
      (row.perSecond / base.perSecond).toFixed(2),
      (base.cpu / row.cpu).toFixed(2),
      `${row.p50.toFixed(2)} / ${row.p99.toFixed(2)}`,
      row.cpu.toFixed(0),
      row.perSecond.toFixed(0),
    ]
  })
  const head = [
    'body',
    'server',
    `throughput / ${reference}`,
    `${reference} CPU / CPU`,
    'p50 / p99 ms',
    'CPU µs',
    'req/s',
  ]
  return markdown(head, rows)
}

/** A table in Markdown; the first column is text, the others are numbers. */
export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'))
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
