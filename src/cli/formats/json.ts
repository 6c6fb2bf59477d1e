import type { CheckOutput } from './check-output.ts'

/** For programs: the report as it is. */
export function formatJson({ report }: CheckOutput): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
