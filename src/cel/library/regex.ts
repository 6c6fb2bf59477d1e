import { RE2JS } from 're2js'

import { remembering } from '../recent.ts'
import type { Runtime } from '../runtime.ts'
import { FunctionError, type Library } from './library.ts'

/**
 * Regular expressions run on RE2: linear in the text, whatever the pattern.
 * Source: cel-go `common/stdlib` matches, k8s.io/apiserver `pkg/cel/library/regex.go`.
 */
export const regexLibrary: Library = {
  replaces: { matches: 're_matches' },
  register(environment, runtime) {
    const compiled = new Map<string, Pattern>()
    const compile = (pattern: string): Pattern => {
      let regex = compiled.get(pattern)
      if (regex === undefined) {
        runtime.charge(expectedSize(pattern) * PER_INSTRUCTION)
        const compiledPattern = compilePattern(pattern)
        regex = {
          regex: compiledPattern,
          size: compiledPattern.programSize(),
          isIn: remembering((text) => compiledPattern.matcher(text).find()),
        }
        // Patterns may come from objects, so the number that is kept is bounded.
        if (compiled.size < 1000) compiled.set(pattern, regex)
      }
      return regex
    }
    // Every character of the text may meet every instruction that the pattern is compiled to.
    const spend = (text: string, pattern: string): Pattern => {
      const compiledPattern = compile(pattern)
      runtime.charge(text.length * Math.max(compiledPattern.size - FREE_STEPS, 1) * PER_STEP)
      return compiledPattern
    }
    const matches = (text: string, pattern: string): boolean => spend(text, pattern).isIn(text)
    environment.registerFunction('string.re_matches(string): bool', matches, { async: false })
    environment.registerFunction('re_matches(string, string): bool', matches, { async: false })
    environment.registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => {
        const matcher = spend(text, pattern).regex.matcher(text)
        return matcher.find() ? (matcher.group() ?? '') : ''
      },
      { async: false },
    )
    const findAll = (text: string, pattern: string, limit: bigint): readonly string[] => {
      const { regex } = spend(text, pattern)
      return findAllIn(text, regex, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit), runtime)
    }
    environment.registerFunction(
      'string.findAll(string): list<string>',
      (text: string, pattern: string) => findAll(text, pattern, -1n),
      { async: false },
    )
    environment.registerFunction('string.findAll(string, int): list<string>', findAll, { async: false })
  },
}

interface Pattern {
  readonly regex: RE2JS
  /** Instructions that it is compiled to. */
  readonly size: number
  /** Does the pattern match anywhere in a text? */
  readonly isIn: (text: string) => boolean
}

/** Units of work for compiling one instruction. */
const PER_INSTRUCTION = 20

/** Units of work for trying an instruction at a character. The first few are one step of a small table. */
const PER_STEP = 0.15
const FREE_STEPS = 4

/** About how many instructions a pattern is compiled to: repeated parts stand there as often as they may be repeated. */
function expectedSize(pattern: string): number {
  let size = pattern.length
  for (const { 1: last, 2: least, 3: most, index } of pattern.matchAll(/(.)\{(\d+)(?:,(\d*))?\}/gs))
    size += Number(most ?? least) * (last === ')' ? index : 2)
  return size
}

/** Units of work for finding one match. */
const PER_MATCH = 10

/** As in Go, an empty match right behind another match is none. Source: Go `regexp.FindAllString`. */
function findAllIn(text: string, regex: RE2JS, most: number, runtime: Runtime): readonly string[] {
  const matcher = regex.matcher(text)
  const found: string[] = []
  let before = -1
  while (found.length < most && matcher.find()) {
    runtime.charge(PER_MATCH)
    const match = matcher.group() ?? ''
    if (match !== '' || matcher.start() !== before) found.push(match)
    before = matcher.end()
  }
  return found
}

/** Compiles a pattern; throws a FunctionError that says what is wrong with it. Policies have the same few patterns. */
export const compilePattern: (pattern: string) => RE2JS = remembering((pattern) => {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw new FunctionError(
      `"${pattern}" is no regular expression of RE2: ${error instanceof Error ? error.message : ''}`,
    )
  }
})
