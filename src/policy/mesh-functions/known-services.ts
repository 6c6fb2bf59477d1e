import { namespaceOf } from '../../kube/object.ts'
import { destinationRuleFor, type MergedRule } from '../../mesh/destination-rule.ts'
import { KINDS } from '../../mesh/kinds.ts'
import { memo } from '../../mesh/memo.ts'
import type { DestinationReference } from '../../mesh/references.ts'
import { servicesWithHost, type MeshService } from '../../mesh/registry.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'

/** Is anything known of the hosts of a namespace? Of a few files nothing can be said about one of which they show no service. */
export function knowsServicesIn(mesh: MeshSnapshot, namespace: string): boolean {
  return [KINDS.service, KINDS.serviceEntry].some((kind) => mesh.inNamespace(kind, namespace).length > 0)
}

/** Where a route sends its requests, and the rule that decides there for the clients of its own namespace. */
export interface RouteTarget {
  /** The namespace of the host; that of the route where no service has it. */
  readonly namespace: string
  readonly service: MeshService | undefined
  readonly rule: MergedRule | undefined
}

/** What a destination means to the clients of its own namespace. */
export function targetOf(mesh: MeshSnapshot, reference: DestinationReference): RouteTarget {
  return targetsIn(mesh)(reference)
}

const targetsIn = memo((mesh: MeshSnapshot) => memo((reference: DestinationReference) => findTarget(mesh, reference)))

function findTarget(mesh: MeshSnapshot, { object, host }: DestinationReference): RouteTarget {
  const [service] = servicesWithHost(mesh, host)
  const client = { namespace: namespaceOf(object), labels: {} }
  const namespace = service?.namespace ?? client.namespace
  return { namespace, service, rule: destinationRuleFor(mesh, client, { host, namespace }) }
}

/** Does the rule that decides define the subset that is named? */
export function definesSubset({ rule }: RouteTarget, subset: string): boolean {
  return rule?.subsets.some(({ name }) => name === subset) === true
}
