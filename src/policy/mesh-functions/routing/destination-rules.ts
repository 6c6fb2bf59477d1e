import { asObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf } from '../../../kube/object.ts'
import { labelsText } from '../../../kube/selector.ts'
import { ruleHost } from '../../../mesh/destination-rule.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { workloadsOf } from '../../../mesh/endpoints.ts'
import { block, blocks, placedBlocks, text, textMap } from '../../../mesh/fields.ts'
import { isWildcard } from '../../../mesh/hosts.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { referencesToHost } from '../../../mesh/references.ts'
import { hostExists, servicesWithHost } from '../../../mesh/registry.ts'
import { refOf } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { knowsServicesIn } from '../known-services.ts'

/** A host that no Service and no ServiceEntry has. */
export const unknownHost: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const host = ruleHost(object)
  const namespace = namespaceOf(object)
  if (host === '' || isWildcard(host) || hostExists(mesh, host, namespace)) return []
  if (context.knowledge === 'partial' && !knowsServicesIn(mesh, namespace))
    return [{ field: 'spec.host', outcome: 'skip' }]
  return [
    {
      field: 'spec.host',
      message: `no Service or ServiceEntry that ${namespace} can see has the host ${host}, so this rule applies to nothing`,
      remediation: 'write the host of a Service or ServiceEntry',
      atMost: 'Warn',
    },
  ]
}

/** Subsets that select no workload of their host. */
export const emptySubsets: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const host = ruleHost(object)
  const services = servicesWithHost(mesh, host).filter(({ selector }) => selector !== undefined)
  const workloads = services.flatMap((service) => workloadsOf(mesh, service))
  if (services.length === 0) return []
  const found: (MeshFinding | SkippedPlace)[] = []
  for (const [index, subset] of placedBlocks(asObject(object.spec).subsets)) {
    const wanted = Object.entries(textMap(subset.labels)).filter(([key, value]) => !TOPOLOGY.test(key) || value === '')
    if (wanted.length === 0) continue
    if (workloads.some(({ labels }) => wanted.every(([key, value]) => labels[key] === value))) continue
    const field = `spec.subsets[${index}].labels`
    if (context.knowledge === 'partial' && workloads.length === 0) {
      found.push({ field, outcome: 'skip' })
      continue
    }
    const labels = labelsText(Object.fromEntries(wanted))
    const isUsed = referencesToHost(mesh, host).some((reference) => reference.subset === text(subset.name))
    found.push({
      field,
      message: `no workload of ${host} has the labels ${labels}${isUsed ? ', and routes send requests there: they get 503' : ''}`,
      remediation: 'write labels that its pods have, or deploy them first',
    })
  }
  return found
}

/** Labels that say where a workload runs, and are not its own; a place without a name is none, so that no workload is there. */
const TOPOLOGY = /^(?:topology\.(?:kubernetes|istio)\.io\/|failure-domain\.beta\.kubernetes\.io\/)/

/** Another rule of the namespace for the same host that says something about the same subset, or also about all. */
export const rivalRules: Find = (context, object, params) => {
  const spec = asObject(object.spec)
  const host = ruleHost(object)
  const selector = JSON.stringify(spec.workloadSelector ?? null)
  const found: MeshFinding[] = []
  for (const other of discoveredMesh(context.mesh).inNamespace(KINDS.destinationRule, namespaceOf(object))) {
    const others = asObject(other.spec)
    if (ownName(other) === ownName(object) || ruleHost(other) !== host) continue
    if (JSON.stringify(others.workloadSelector ?? null) !== selector) continue
    const names = new Set(blocks(others.subsets).map(({ name }) => text(name)))
    const related = [relatedTo(context, refOf(other), params)]
    const by = nameOf(context, refOf(other), params)
    if (block(spec.trafficPolicy) !== undefined && block(others.trafficPolicy) !== undefined)
      found.push({
        field: 'spec.trafficPolicy',
        message: `${by} has a trafficPolicy for ${host} too: Istio keeps the older one and drops the other`,
        remediation: 'put both into one DestinationRule',
        related,
      })
    for (const [index, subset] of placedBlocks(spec.subsets)) {
      if (!names.has(text(subset.name))) continue
      found.push({
        field: `spec.subsets[${index}].name`,
        message: `${by} defines subset "${text(subset.name)}" of ${host} too: Istio keeps the older one and drops the other`,
        remediation: 'define it once',
        related,
      })
    }
  }
  return found
}

/** Policies of subsets that no route names, so that they never apply. */
export const idleSubsetPolicies: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const host = ruleHost(object)
  const routed = new Set(referencesToHost(mesh, host).map(({ subset }) => subset))
  if (context.knowledge === 'partial' && mesh.inNamespace(KINDS.virtualService, namespaceOf(object)).length === 0)
    return [{ field: 'spec.subsets', outcome: 'skip' }]
  return placedBlocks(asObject(object.spec).subsets).flatMap(([index, subset]): readonly MeshFinding[] => {
    const name = text(subset.name) ?? ''
    if (block(subset.trafficPolicy) === undefined || routed.has(name)) return []
    return [
      {
        field: `spec.subsets[${index}].trafficPolicy`,
        message: `no route names subset "${name}" of ${host}, so this policy never applies`,
        remediation: 'route to the subset, or move the policy to spec.trafficPolicy',
      },
    ]
  })
}

/** A rule for the host of another namespace, which clients of other namespaces do not look at. */
export const unusedRule: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const namespace = namespaceOf(object)
  const host = ruleHost(object)
  const services = servicesWithHost(mesh, host)
  if (services.length === 0 || namespace === meshConfigOf(mesh).rootNamespace) return []
  if (services.some((service) => service.namespace === namespace)) return []
  const owner = services[0]?.namespace ?? ''
  const exportTo = asObject(object.spec).exportTo
  const isPrivate = JSON.stringify(exportTo ?? null) === '["."]'
  if (isPrivate) return []
  return [
    {
      field: 'spec.host',
      message: `${host} lives in ${owner}: only clients in ${namespace} use this rule, since others look in their own namespace, in ${owner} and in the root namespace`,
      remediation: `move it to ${owner} for all clients, or write exportTo: ["."] to say that it is for ${namespace} alone`,
    },
  ]
}
