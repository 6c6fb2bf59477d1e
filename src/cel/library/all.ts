import type { Library } from './library.ts'
import { regexLibrary } from './regex.ts'
import { stringsLibrary } from './strings.ts'

/** Every library of the dialect. */
export const LIBRARIES: readonly Library[] = [stringsLibrary, regexLibrary]
