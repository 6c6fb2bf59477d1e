import type { Comparable } from '../value-order.ts'
import { FunctionError, type Library } from './library.ts'

/** Semantic versions. Source: k8s.io/apiserver `pkg/cel/library/semverlib.go`, on blang/semver. */
export const semverLibrary: Library = {
  register(environment) {
    environment.registerType(TYPE, { ctor: Version })
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    define(`semver(string): ${TYPE}`, (text: string) => versionOf(text, 'strict'))
    define(`semver(string, bool): ${TYPE}`, (text: string, normalize: boolean) =>
      versionOf(text, normalize ? 'lenient' : 'strict'),
    )
    define('isSemver(string): bool', (text: string) => parseVersion(text, 'strict') !== undefined)
    define(
      'isSemver(string, bool): bool',
      (text: string, normalize: boolean) => parseVersion(text, normalize ? 'lenient' : 'strict') !== undefined,
    )
    define(`${TYPE}.major(): int`, ({ numbers }: Version) => numbers[0])
    define(`${TYPE}.minor(): int`, ({ numbers }: Version) => numbers[1])
    define(`${TYPE}.patch(): int`, ({ numbers }: Version) => numbers[2])
    define(`${TYPE}.compareTo(${TYPE}): int`, (a: Version, b: Version) => BigInt(compareVersions(a, b)))
    define(`${TYPE}.isGreaterThan(${TYPE}): bool`, (a: Version, b: Version) => compareVersions(a, b) > 0)
    define(`${TYPE}.isLessThan(${TYPE}): bool`, (a: Version, b: Version) => compareVersions(a, b) < 0)
  },
}

const TYPE = 'kubernetes.Semver'

class Version implements Comparable {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly prerelease: readonly string[]

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    this.numbers = numbers
    this.prerelease = prerelease
  }

  equals(other: unknown): boolean {
    return other instanceof Version && compareVersions(this, other) === 0
  }
}

type Reading = 'strict' | 'lenient'

function versionOf(text: string, reading: Reading): Version {
  const version = parseVersion(text, reading)
  if (version === undefined) throw new FunctionError(`"${text}" is not a semantic version, such as 1.2.3`)
  return version
}

/** The lenient reading takes a `v` before it, missing minor and patch, and leading zeros. */
function parseVersion(text: string, reading: Reading): Version | undefined {
  const normalised = reading === 'strict' ? text : normalise(text)
  const match =
    /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/.exec(
      normalised,
    )
  if (match === null) return undefined
  const [, major = '0', minor = '0', patch = '0', prerelease] = match
  const identifiers = prerelease?.split('.') ?? []
  if (identifiers.some((identifier) => /^0\d+$/.test(identifier))) return undefined
  return new Version([BigInt(major), BigInt(minor), BigInt(patch)], identifiers)
}

function normalise(text: string): string {
  const bare = text.replace(/^v/, '')
  const [, core = '', rest = ''] = /^([\d.]*)(.*)$/s.exec(bare) ?? []
  const numbers = core.split('.').map((number) => number.replace(/^0+(?=\d)/, ''))
  while (numbers.length < 3) numbers.push('0')
  return `${numbers.join('.')}${rest}`
}

// Semantic Versioning 2.0.0, item 11.
function compareVersions(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n
    if (number !== other) return number < other ? -1 : 1
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return Math.sign(b.prerelease.length - a.prerelease.length)
  for (let index = 0; index < Math.max(a.prerelease.length, b.prerelease.length); index += 1) {
    const order = compareIdentifiers(a.prerelease[index], b.prerelease[index])
    if (order !== 0) return order
  }
  return 0
}

function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return BigInt(a) < BigInt(b) ? -1 : 1
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return a < b ? -1 : 1
}
