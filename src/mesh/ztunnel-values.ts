import ipaddr from 'ipaddr.js'

/** Addresses and ranges as CIDR, those that can't be read left out. istio: serviceregistry/ambient/authorization.go stringToIP. */
export function readAddresses(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => {
    const [address = '', bits] = value.split('/', 2)
    if (!isAddress(address) || (bits !== undefined && !ipaddr.isValidCIDR(value))) return []
    const parsed = ipaddr.parse(address)
    return `${parsed.toString()}/${bits ?? (parsed.kind() === 'ipv4' ? 32 : 128)}`
  })
}

/** Ports, those that can't be read left out. istio: serviceregistry/ambient/authorization.go stringToPort. */
export function readPorts(values: readonly string[]): readonly string[] {
  return values.filter((value) => /^\d+$/.test(value) && Number(value) <= 65_535).map((value) => String(Number(value)))
}

/** Service accounts as `namespace/name`. istio: serviceregistry/ambient/authorization.go stringToServiceAccountMatch. */
export function readServiceAccounts(values: readonly string[], policyNamespace: string): readonly string[] {
  return values.map((value) => (value.includes('/') ? value : `${policyNamespace}/${value}`))
}

/** Does an address lie in a range that `readAddresses` returned? */
export function isInCidr(address: string, cidr: string): boolean {
  if (!isAddress(address)) return false
  const own = ipaddr.process(address)
  const [base, bits] = ipaddr.parseCIDR(cidr)
  return own.kind() === base.kind() && own.match(base, bits)
}

function isAddress(value: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(value) || ipaddr.IPv6.isValid(value)
}
