/** Rows in columns as wide as their widest cell; colours have no width. */
export function table(rows: readonly (readonly string[])[], indent: string): readonly string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  )
  return rows.map((row) =>
    `${indent}${row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell))).join('  ')}`.trimEnd(),
  )
}

function widthOf(text: string): number {
  return text.replaceAll(ESCAPES, '').length
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g')
