import type { KubectlResult } from './kubectl.ts'

/** What a rule said about a change: nothing, a warning beside it, or that it is refused. */
export type Told = 'nothing' | 'warning' | 'denial'

/** What kubectl was told of a rule. Rejects what failed for another reason than a verdict. */
export function toldOf(code: string, { code: exit, stderr }: KubectlResult): Told {
  const isRefused = /admission webhook "[a-z]+\.validate\.meshward\.io" denied the request/.test(stderr)
  if (exit !== 0 && !isRefused) throw new Error(`kubectl failed: ${stderr}`)
  // A denial has one indented line for each finding; one about the whole object names no field.
  if (new RegExp(`^  ${code}[ :]`, 'm').test(stderr)) return 'denial'
  return new RegExp(`^Warning: ${code}[ :]`, 'm').test(stderr) ? 'warning' : 'nothing'
}
