import { InvalidArgumentError } from 'commander'

/** Collects the values of an option that may be given more than once. */
export function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

/** Sets of bindings that ship, or files of one's own. */
export const PROFILE_OPTION: [string, string, typeof append, readonly string[]] = [
  '--profile <name>',
  'bind policies as a profile says: baseline, strict, resilient, ambient, or a file; --bindings go before it (repeatable, a later one goes before an earlier one)',
  append,
  [],
]

/** Reads whole numbers from `least` to `most`. */
export function wholeNumber(most: number, least = 0): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    throw new InvalidArgumentError(`Write a whole number from ${least} to ${most}.`)
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads a duration into milliseconds; a bare number is seconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Write a duration such as 500ms, 3s, 1m, 12h or 90d.')
  return Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000)
}
