import ipaddr from 'ipaddr.js'

import type { Comparable } from '../value-order.ts'
import { FunctionError, type Library } from './library.ts'

/**
 * IP addresses and CIDR ranges. Source: k8s.io/apiserver `pkg/cel/library/{ip,cidr}.go`, on Go's net/netip: no zones,
 * no IPv4-mapped IPv6 addresses, no leading zeros.
 */
export const networkLibrary: Library = {
  register(environment) {
    environment.registerType(IP, { ctor: Address })
    environment.registerType(CIDR, { ctor: Range })
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    define(`ip(string): ${IP}`, addressOf)
    define('isIP(string): bool', (text: string) => parseAddress(text) !== undefined)
    define(`to_string(${IP}): string`, ({ text }: Address) => text)
    define(`${IP}.family(): int`, ({ parsed }: Address) => (parsed.kind() === 'ipv4' ? 4n : 6n))
    define(`${IP}.isUnspecified(): bool`, ({ text }: Address) => text === '0.0.0.0' || text === '::')
    define(`${IP}.isLoopback(): bool`, isIn(['127.0.0.0/8', '::1/128']))
    define(`${IP}.isLinkLocalMulticast(): bool`, isIn(['224.0.0.0/24', 'ff02::/16']))
    define(`${IP}.isLinkLocalUnicast(): bool`, isIn(['169.254.0.0/16', 'fe80::/10']))
    const isOther = isIn([
      '0.0.0.0/32',
      '255.255.255.255/32',
      '127.0.0.0/8',
      '224.0.0.0/4',
      '169.254.0.0/16',
      '::/128',
      '::1/128',
      'ff00::/8',
      'fe80::/10',
    ])
    define(`${IP}.isGlobalUnicast(): bool`, (address: Address) => !isOther(address))
    environment.registerType('namespace.ip', { ctor: IpNamespace })
    environment.registerConstant('ip', 'namespace.ip', new IpNamespace())
    define('namespace.ip.isCanonical(string): bool', (_: unknown, text: string) => addressOf(text).text === text)

    define(`cidr(string): ${CIDR}`, rangeOf)
    define('isCIDR(string): bool', (text: string) => parseRange(text) !== undefined)
    define(`to_string(${CIDR}): string`, ({ address, bits }: Range) => `${address.text}/${bits}`)
    define(`${CIDR}.containsIP(string): bool`, (range: Range, text: string) => contains(range, addressOf(text)))
    define(`${CIDR}.containsIP(${IP}): bool`, contains)
    define(`${CIDR}.containsCIDR(string): bool`, (range: Range, text: string) => containsRange(range, rangeOf(text)))
    define(`${CIDR}.containsCIDR(${CIDR}): bool`, containsRange)
    define(`${CIDR}.ip(): ${IP}`, ({ address }: Range) => address)
    define(`${CIDR}.masked(): ${CIDR}`, masked)
    define(`${CIDR}.prefixLength(): int`, ({ bits }: Range) => BigInt(bits))
  },
}

const IP = 'net.IP'
const CIDR = 'net.CIDR'

type Parsed = ipaddr.IPv4 | ipaddr.IPv6

class Address implements Comparable {
  readonly parsed: Parsed
  /** As Go prints it: the canonical form. */
  readonly text: string

  constructor(parsed: Parsed) {
    this.parsed = parsed
    this.text = parsed.kind() === 'ipv4' ? parsed.toString() : compressed(parsed)
  }

  get byteSize(): number {
    return widthOf(this) / 8
  }

  equals(other: unknown): boolean {
    return other instanceof Address && other.text === this.text
  }
}

class Range implements Comparable {
  readonly address: Address
  readonly bits: number

  constructor(address: Address, bits: number) {
    this.address = address
    this.bits = bits
  }

  /** Of the prefix. */
  get byteSize(): number {
    return Math.ceil(this.bits / 8)
  }

  equals(other: unknown): boolean {
    return other instanceof Range && other.address.equals(this.address) && other.bits === this.bits
  }
}

/** What the name `ip` stands for; it has nothing but functions. */
class IpNamespace {
  readonly functionsOnly = true
}

function parseAddress(text: string): Address | undefined {
  // ipaddr.js reads octal, hexadecimal and short forms of IPv4, which Go does not.
  const isPlain = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)
  if (!isPlain && (!text.includes(':') || text.includes('%'))) return undefined
  if (!ipaddr.isValid(text)) return undefined
  const parsed = ipaddr.parse(text)
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? undefined : new Address(parsed)
}

function addressOf(text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new FunctionError(`"${text}" is not an IP address`)
  return address
}

function parseRange(text: string): Range | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1])
  const bits = Number(match?.[2])
  if (address === undefined || bits > widthOf(address)) return undefined
  return new Range(address, bits)
}

function rangeOf(text: string): Range {
  const range = parseRange(text)
  if (range === undefined) throw new FunctionError(`"${text}" is not a CIDR range, such as 10.0.0.0/8`)
  return range
}

function widthOf({ parsed }: Address): number {
  return parsed.kind() === 'ipv4' ? 32 : 128
}

function contains(range: Range, { parsed }: Address): boolean {
  const network = range.address.parsed
  if (network instanceof ipaddr.IPv4) return parsed instanceof ipaddr.IPv4 && parsed.match(network, range.bits)
  return parsed instanceof ipaddr.IPv6 && parsed.match(network, range.bits)
}

function containsRange(range: Range, other: Range): boolean {
  return other.bits >= range.bits && contains(range, other.address)
}

function masked({ address, bits }: Range): Range {
  let left = bits
  const bytes = address.parsed.toByteArray().map((byte) => {
    const kept = Math.min(Math.max(left, 0), 8)
    left -= 8
    return byte & ~(0xff >> kept) & 0xff
  })
  return new Range(new Address(ipaddr.fromByteArray(bytes)), bits)
}

function isIn(ranges: readonly string[]): (address: Address) => boolean {
  const known = ranges.map(rangeOf)
  return (address) => known.some((range) => contains(range, address))
}

/** RFC 5952: the longest run of two or more zero groups becomes `::`. */
function compressed(parsed: Parsed): string {
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()
}
