/** A value of the chart, as `values.yaml` has it. */
export interface ChartValue {
  /** `webhook.port` */
  readonly name: string
  /** The comment above it. */
  readonly meaning: string
  /** What stands behind the name on its line; undefined where nothing does. */
  readonly written: string | undefined
}

/** Every value of a `values.yaml` that has a comment above it, in their order. */
export function chartValues(values: string): readonly ChartValue[] {
  const found: ChartValue[] = []
  const path: { readonly indent: number; readonly name: string }[] = []
  let comment: string[] = []
  for (const line of values.split('\n')) {
    const note = /^ *# (.*)$/.exec(line)
    const field = /^( *)([A-Za-z]+):(?: (.*))?$/.exec(line)
    if (note?.[1] !== undefined) comment.push(note[1])
    else if (field !== null) {
      const indent = field[1]?.length ?? 0
      while ((path.at(-1)?.indent ?? -1) >= indent) path.pop()
      path.push({ indent, name: field[2] ?? '' })
      const name = path.map((step) => step.name).join('.')
      if (comment.length > 0) found.push({ name, meaning: comment.join(' '), written: field[3] })
      comment = []
    } else comment = []
  }
  return found
}
