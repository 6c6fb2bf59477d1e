import { Optional } from '@marcbachmann/cel-js'

import { isUrl } from './url.ts'
import type { Library } from './library.ts'

/**
 * Named formats: `format.dns1123Label().validate(text)` gives nothing where the text is right, else what is wrong.
 * Source: k8s.io/apiserver `pkg/cel/library/format.go`; k8s.io/apimachinery `pkg/util/validation/validation.go`.
 */
export const namedFormatsLibrary: Library = {
  register(environment) {
    environment.registerType(TYPE, { ctor: Format })
    environment.registerType('namespace.format', { ctor: FormatNamespace })
    // `format` of a string is a function, so calls of the namespace find it by its receiver.
    environment.registerConstant('format', 'namespace.format', new FormatNamespace())
    for (const [name, format] of FORMATS) {
      environment.registerFunction(`namespace.format.${name}(): ${TYPE}`, () => format, { async: false })
    }
    environment.registerFunction(
      `namespace.format.named(string): optional<${TYPE}>`,
      (_: unknown, name: string) => Optional.of(FORMATS.get(name)),
      { async: false },
    )
    environment.registerFunction(
      `${TYPE}.validate(string): optional<list<string>>`,
      (format: Format, text: string) => {
        const problem = format.check(text)
        return problem === undefined ? Optional.none() : Optional.of([problem])
      },
      { async: false },
    )
  },
}

const TYPE = 'kubernetes.NamedFormat'

/** What is wrong with a text, or undefined. */
type Check = (text: string) => string | undefined

class Format {
  readonly check: Check
  /** Characters of a pattern as long as the API server reckons that checking takes. */
  readonly patternSize: number

  constructor(check: Check, patternSize: number) {
    this.check = check
    this.patternSize = patternSize
  }
}

/** What the name `format` stands for; it has nothing but functions. */
class FormatNamespace {
  readonly functionsOnly = true
}

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?'
const NAME_PART = '[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?'

const label = limited(
  63,
  new RegExp(`^${LABEL}$`),
  'must consist of lower case alphanumeric characters or "-", and start and end with one of the former',
)
const subdomain = limited(
  253,
  new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*$`),
  'must consist of lower case alphanumeric characters, "-" or ".", and start and end with one of the first',
)
const dns1035 = limited(
  63,
  /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
  'must consist of lower case alphanumeric characters or "-", start with a letter and end with one of the first',
)
const labelValue = limited(
  63,
  new RegExp(`^(?:${NAME_PART})?$`),
  'must be empty, or consist of alphanumeric characters, "-", "_" or "." and start and end with one of the first',
)

/** A name that the API server will add characters to may end with `-`. */
function asPrefix(check: Check): Check {
  return (text) => check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text)
}

const uuid = matching(
  /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
  'does not match the UUID format',
)
const byte = matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'invalid base64')

// The sizes are `MaxRegexSize` of `ConstantFormats`.
const FORMATS: ReadonlyMap<string, Format> = new Map(
  Object.entries({
    dns1123Label: new Format(label, 30),
    dns1123Subdomain: new Format(subdomain, 60),
    dns1035Label: new Format(dns1035, 30),
    dns1123LabelPrefix: new Format(asPrefix(label), 30),
    dns1123SubdomainPrefix: new Format(asPrefix(subdomain), 60),
    dns1035LabelPrefix: new Format(asPrefix(dns1035), 30),
    qualifiedName: new Format(qualifiedName, 60),
    labelValue: new Format(labelValue, 40),
    uri: new Format((text) => (isUrl(text) ? undefined : 'invalid URI'), 1103),
    uuid: new Format(uuid, 70),
    byte: new Format(byte, 84),
    date: new Format((text) => (isDate(text) ? undefined : 'invalid date'), 71),
    datetime: new Format((text) => (isDateTime(text) ? undefined : 'invalid datetime'), 71),
  }),
)

function matching(pattern: RegExp, problem: string): Check {
  return (text) => (pattern.test(text) ? undefined : problem)
}

function limited(most: number, pattern: RegExp, problem: string): Check {
  return (text) =>
    text.length > most ? `must be no more than ${most} characters` : pattern.test(text) ? undefined : problem
}

function qualifiedName(text: string): string | undefined {
  const [name = '', ...prefix] = text.split('/').toReversed()
  if (prefix.length > 1) return 'must be a name with at most one prefix before "/"'
  if (prefix[0] !== undefined && (prefix[0] === '' || subdomain(prefix[0]) !== undefined))
    return 'the prefix must be a DNS subdomain'
  if (name === '') return 'the name must not be empty'
  return labelValue(name)
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []
  const [y, m, d] = [Number(year), Number(month), Number(day)]
  if (year === undefined || m < 1 || m > 12 || d < 1) return false
  return d <= (m === 2 ? (isLeap(y) ? 29 : 28) : [4, 6, 9, 11].includes(m) ? 30 : 31)
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
}

function isDateTime(text: string): boolean {
  const match =
    /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/.exec(
      text,
    )
  return match?.[1] !== undefined && isDate(match[1])
}
