import type { V1Container, V1ObjectFieldSelector, V1Pod, V1ResourceFieldSelector } from '@kubernetes/client-node'

/** Facts of a running pod that its object does not hold yet. */
export interface PodFacts {
  readonly address: string
  readonly hostAddress: string
}

/**
 * The value of a `fieldRef`, as text. Throws for a field that containers cannot refer to.
 * kubernetes: pkg/fieldpath/fieldpath.go and kubelet's podFieldSelectorRuntimeValue
 */
export function fieldValue({ fieldPath }: V1ObjectFieldSelector, pod: V1Pod, facts: PodFacts): string {
  const { metadata, spec } = pod
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath)
  if (subscript !== null) {
    const [, map, key = ''] = subscript
    return (map === 'labels' ? metadata?.labels : metadata?.annotations)?.[key] ?? ''
  }
  const values: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata?.name,
    'metadata.namespace': metadata?.namespace,
    'metadata.uid': metadata?.uid,
    'metadata.labels': lines(metadata?.labels),
    'metadata.annotations': lines(metadata?.annotations),
    'spec.nodeName': spec?.nodeName,
    'spec.serviceAccountName': spec?.serviceAccountName ?? 'default',
    'status.podIP': facts.address,
    'status.podIPs': facts.address,
    'status.hostIP': facts.hostAddress,
    'status.hostIPs': facts.hostAddress,
  }
  const value = values[fieldPath]
  if (value === undefined) throw new Error(`fieldRef ${fieldPath} is not supported`)
  return value
}

/** What a container without a limit is told that it may use: this much of a machine that has more. */
const unlimited: Readonly<Record<string, string>> = { cpu: '2', memory: '4Gi', 'ephemeral-storage': '10Gi' }

/** The value of a `resourceFieldRef`: a whole number of the divisor, rounded up. */
export function resourceValue({ resource, divisor }: V1ResourceFieldSelector, container: V1Container): string {
  const [kind = '', name = ''] = resource.split(/\.(.*)/)
  const { limits, requests } = container.resources ?? {}
  const quantity = (kind === 'requests' ? requests : limits)?.[name] ?? unlimited[name]
  if (quantity === undefined) throw new Error(`resourceFieldRef ${resource} is not supported`)
  const unit = divisor === undefined || divisor === '0' ? 1 : quantityNumber(divisor)
  return String(Math.ceil(quantityNumber(quantity) / unit))
}

const suffixes: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

function quantityNumber(quantity: string): number {
  const [, number = '', suffix = ''] = /^([\d.]+)([a-zA-Z]*)$/.exec(quantity) ?? []
  const factor = suffixes[suffix]
  if (number === '' || factor === undefined) throw new Error(`quantity "${quantity}" is not supported`)
  return Number(number) * factor
}

function lines(map: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n')
}
