import { RE2JS } from 're2js'

import { remembering } from '../recent.ts'
import type { Runtime } from '../runtime.ts'
import { FunctionError, sizeCost, type Library } from './library.ts'

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
        runtime.charge(pattern.length * PER_PATTERN_CHARACTER)
        const compiledPattern = compilePattern(pattern)
        regex = { regex: compiledPattern, isIn: remembering((text) => compiledPattern.matcher(text).find()) }
        // Patterns may come from objects, so the number that is kept is bounded.
        if (compiled.size < 1000) compiled.set(pattern, regex)
      }
      return regex
    }
    // k8s.io/apiserver `pkg/cel/library/cost.go`: a tenth of a unit per character of the text times a quarter per character of the pattern.
    const spend = (text: string, pattern: string): void =>
      runtime.charge(sizeCost(text.length) * Math.max(1, Math.ceil(pattern.length / 4)))
    const matches = (text: string, pattern: string): boolean => {
      spend(text, pattern)
      return compile(pattern).isIn(text)
    }
    environment.registerFunction('string.re_matches(string): bool', matches, { async: false })
    environment.registerFunction('re_matches(string, string): bool', matches, { async: false })
    environment.registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => {
        spend(text, pattern)
        const matcher = compile(pattern).regex.matcher(text)
        return matcher.find() ? (matcher.group() ?? '') : ''
      },
      { async: false },
    )
    const findAll = (text: string, pattern: string, limit: bigint): readonly string[] => {
      spend(text, pattern)
      return findAllIn(text, compile(pattern).regex, limit < 0n ? Number.POSITIVE_INFINITY : Number(limit), runtime)
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
  /** Does the pattern match anywhere in a text? */
  readonly isIn: (text: string) => boolean
}

/** Units of work for compiling one character of a pattern. */
const PER_PATTERN_CHARACTER = 20

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
