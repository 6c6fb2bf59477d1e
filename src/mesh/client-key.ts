import { asList, asObject } from '../kube/json.ts'
import { labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import type { Client } from './destination-rule.ts'
import { block, blocks } from './fields.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { sidecarFor } from './sidecar.ts'
import type { MeshSnapshot } from './snapshot.ts'

/**
 * Clients with one key see the same hosts and reach them in the same way. What tells clients of a namespace apart is their Sidecar,
 * and those of their labels that DestinationRules beside them or VirtualServices anywhere ask for: usually none, and so replicas
 * and versions of all applications are alike.
 */
export function clientKey(snapshot: MeshSnapshot, client: Client): string {
  const sidecar = sidecarFor(snapshot, client)
  const asked = [
    ...labelsAskedBySources(snapshot.all(KINDS.virtualService)),
    ...labelsAskedBySelectors(snapshot.inNamespace(KINDS.destinationRule, client.namespace)),
  ]
  return JSON.stringify([
    client.namespace,
    sidecar === undefined ? [] : [namespaceOf(sidecar), nameOf(sidecar)],
    asked.map((key) => labelValue(client.labels, key) ?? null),
  ])
}

const labelsAskedBySources: (virtualServices: readonly KubeObject[]) => ReadonlySet<string> = memo(
  (virtualServices) => {
    const matches = virtualServices
      .flatMap(({ spec }) => asList(asObject(spec).http))
      .flatMap((entry) => blocks(asObject(entry).match))
    return new Set(matches.flatMap(({ sourceLabels }) => Object.keys(asObject(sourceLabels))))
  },
)

const labelsAskedBySelectors: (rules: readonly KubeObject[]) => ReadonlySet<string> = memo((rules) => {
  const selectors = rules.map(({ spec }) => block(asObject(spec).workloadSelector))
  return new Set(selectors.flatMap((selector) => Object.keys(asObject(selector?.matchLabels))))
})
