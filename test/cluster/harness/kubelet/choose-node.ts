import { isDeepStrictEqual } from 'node:util'

import type { V1Node, V1Pod } from '@kubernetes/client-node'

/**
 * The node for a pod that has none: of those that are not cordoned and have the labels of its node selector, the one with
 * the fewest pods of the same labels, so that replicas spread; then the one with the fewest pods. Undefined: none fits.
 */
export function chooseNode(pod: V1Pod, nodes: readonly V1Node[], pods: readonly V1Pod[]): string | undefined {
  const fitting = nodes.filter((node) => node.spec?.unschedulable !== true && hasLabels(node, pod.spec?.nodeSelector))
  const ranked = fitting.map(({ metadata }) => {
    const name = metadata?.name ?? ''
    const neighbours = pods.filter(({ spec }) => spec?.nodeName === name)
    const alike = neighbours.filter(({ metadata: other }) => isDeepStrictEqual(pod.metadata?.labels, other?.labels))
    return { name, rank: alike.length * 1000 + neighbours.length }
  })
  return ranked.toSorted((a, b) => a.rank - b.rank)[0]?.name
}

type Labels = Readonly<Record<string, string>> | undefined

function hasLabels({ metadata }: V1Node, wanted: Labels): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => metadata?.labels?.[key] === value)
}
