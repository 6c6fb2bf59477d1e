import type { Library } from './library.ts'
import { optionalsLibrary } from './optionals.ts'
import { regexLibrary } from './regex.ts'
import { stringsLibrary } from './strings.ts'
import { twoVariablesLibrary } from './two-variables.ts'

/** Every library of the dialect. */
export const LIBRARIES: readonly Library[] = [stringsLibrary, regexLibrary, optionalsLibrary, twoVariablesLibrary]
