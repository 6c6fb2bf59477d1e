import { conversionsLibrary } from './conversions.ts'
import { formatTextLibrary } from './format-text.ts'
import type { Library } from './library.ts'
import { listsLibrary } from './lists.ts'
import { mutationLibrary } from './mutation.ts'
import { namedFormatsLibrary } from './named-formats.ts'
import { networkLibrary } from './network.ts'
import { optionalsLibrary } from './optionals.ts'
import { quantityLibrary } from './quantity.ts'
import { regexLibrary } from './regex.ts'
import { semverLibrary } from './semver.ts'
import { setsLibrary } from './sets.ts'
import { sortByLibrary } from './sort-by.ts'
import { stringsLibrary } from './strings.ts'
import { timeLibrary } from './time.ts'
import { twoVariablesLibrary } from './two-variables.ts'
import { urlLibrary } from './url.ts'

/** Every library of the dialect. */
export const LIBRARIES: readonly Library[] = [
  conversionsLibrary,
  timeLibrary,
  stringsLibrary,
  regexLibrary,
  optionalsLibrary,
  twoVariablesLibrary,
  listsLibrary,
  sortByLibrary,
  setsLibrary,
  quantityLibrary,
  networkLibrary,
  urlLibrary,
  formatTextLibrary,
  semverLibrary,
  namedFormatsLibrary,
  mutationLibrary,
]
