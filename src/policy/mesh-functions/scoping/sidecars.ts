import { asList, asObject } from '../../../kube/json.ts'
import type { JsonPatch } from '../../../kube/json-patch.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { matchesLabels } from '../../../kube/selector.ts'
import { setPatch } from '../../../kube/set-patch.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { block, blocks, placedBlocks, placedTexts, textMap } from '../../../mesh/fields.ts'
import { isWildcard, resolveHost } from '../../../mesh/hosts.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { servicesWithHost } from '../../../mesh/registry.ts'
import { sidecarFor } from '../../../mesh/sidecar.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { hasSidecar, workloadsIn, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { idleIn } from '../idle-selector.ts'
import { knowsServicesIn } from '../known-services.ts'
import type { MeshContext } from '../mesh-function.ts'

/** Another Sidecar without a selector in the namespace. */
export const rivalDefaults: Find = (context, object, params) => {
  if (selectorOf(object) !== undefined) return []
  const rival = othersOf(context.mesh, object).find((other) => selectorOf(other) === undefined)
  if (rival === undefined) return []
  return [
    {
      field: 'spec',
      message: `${nameOf(context, refOf(rival), params)} is the default Sidecar of ${namespaceOf(object)} already: Istio takes the older one and ignores the other`,
      remediation: 'put both into one, or give this a workloadSelector',
      related: [relatedTo(context, refOf(rival), params)],
    },
  ]
}

/** Another Sidecar that selects a workload which this one selects. */
export const rivalSelectors: Find = (context, object, params) => {
  const selector = selectorOf(object)
  if (selector === undefined) return []
  const own = scopedWorkloads(context.mesh, object)
  for (const rival of othersOf(context.mesh, object)) {
    const others = selectorOf(rival)
    const shared = others === undefined ? undefined : own.find(({ labels }) => matchesLabels(others, labels))
    if (shared === undefined) continue
    return [
      {
        field: 'spec.workloadSelector',
        message: `${nameOf(context, refOf(rival), params)} selects workload ${shared.name} too: Istio takes the older Sidecar and ignores the other`,
        remediation: 'select different workloads, or put both into one',
        related: [relatedTo(context, refOf(rival), params, 'spec.workloadSelector')],
      },
    ]
  }
  return []
}

/** A selector that selects nothing. */
export const idleSelector: Find = (context, object) =>
  idleIn(context.mesh, context, object, 'spec.workloadSelector.labels')

/** Imported hosts that nobody has. */
export const unknownImports: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const own = namespaceOf(object)
  const found: (MeshFinding | SkippedPlace)[] = []
  for (const [listener, entry] of placedBlocks(asObject(object.spec).egress)) {
    for (const [index, written] of placedTexts(entry.hosts)) {
      const [scope = '', host = ''] = written.split('/')
      const namespace = scope === '.' ? own : scope
      if (host === '' || isWildcard(host) || scope.startsWith('~')) continue
      const services = servicesWithHost(mesh, resolveHost(host, namespace))
      if (services.some((service) => namespace === '*' || service.namespace === namespace)) continue
      const field = `spec.egress[${listener}].hosts[${index}]`
      const isKnown = namespace === '*' || knowsServicesIn(mesh, namespace)
      if (context.knowledge === 'partial' && !isKnown) found.push({ field, outcome: 'skip' })
      else
        found.push({
          field,
          message: `"${written}" imports nothing: ${namespace === '*' ? 'no namespace' : `namespace ${namespace}`} has no Service or ServiceEntry with the host ${host}`,
          remediation: 'write namespace/host of one that exists, the host in full',
          atMost: 'Warn',
        })
    }
  }
  return found
}

/** The workloads that a Sidecar may apply to. */
export function scopedWorkloads(mesh: MeshSnapshot, object: KubeObject): readonly Workload[] {
  const selector = selectorOf(object)
  const all = workloadsIn(mesh, namespaceOf(object))
  return selector === undefined ? all : all.filter(({ labels }) => matchesLabels(selector, labels))
}

/** The Sidecar that scopes a namespace: that it is missing, on a scan; that it goes. */
export const defaultSidecar: Find = (context, object) =>
  context.operation === 'SCAN' ? unscopedNamespace(context.mesh, ownName(object)) : removedDefault(context, object)

function removedDefault(context: MeshContext, object: KubeObject): readonly MeshFinding[] {
  const namespace = namespaceOf(object)
  const kept = context.before.get(KINDS.sidecar, namespace, ownName(object)) ?? object
  if (context.operation === 'CREATE' || selectorOf(kept) !== undefined) return []
  const { rootNamespace } = meshConfigOf(context.mesh)
  if (!isScoped(context.before, namespace) || isScoped(context.mesh, namespace)) return []
  const where = namespace === rootNamespace ? 'every namespace without a Sidecar of its own' : namespace
  const message = `this is what scopes ${where}: without it each proxy there gets the configuration of the whole mesh and may call everything`
  if (context.operation === 'DELETE')
    return [{ field: '', message, remediation: 'apply another default Sidecar first' }]
  return [
    {
      field: 'spec',
      message,
      remediation: 'keep it without workloadSelector and with the hosts in spec.egress, or apply another default first',
      fix: asScopedAs(object, kept),
    },
  ]
}

/** The steps that make a Sidecar the default that it was. */
function asScopedAs(object: KubeObject, kept: KubeObject): JsonPatch {
  const { workloadSelector, egress } = asObject(object.spec)
  const unselect: JsonPatch = workloadSelector === undefined ? [] : [{ op: 'remove', path: '/spec/workloadSelector' }]
  if (blocks(egress).length > 0) return unselect
  return [...unselect, ...setPatch(object, ['spec', 'egress'], asList(asObject(kept.spec).egress))]
}

/** Does a Sidecar say what the proxies of a namespace may see, but for those that another one selects? */
function isScoped(mesh: MeshSnapshot, namespace: string): boolean {
  const sidecar = sidecarFor(mesh, { namespace, labels: {} })
  return sidecar !== undefined && blocks(asObject(sidecar.spec).egress).length > 0
}

/** The root namespace has the Sidecar of those that have none; what needs no scope has no sidecars. */
function unscopedNamespace(mesh: MeshSnapshot, name: string): readonly MeshFinding[] {
  if (name === meshConfigOf(mesh).rootNamespace || isScoped(mesh, name)) return []
  if (!workloadsIn(mesh, name).some((workload) => hasSidecar(mesh, workload))) return []
  return [
    {
      field: '',
      message: `no default Sidecar scopes ${name}: each of its proxies gets the configuration of the whole mesh`,
      remediation: `apply a Sidecar without workloadSelector in ${name}, with the hosts that it calls in spec.egress`,
      atMost: 'Warn',
    },
  ]
}

function selectorOf(object: KubeObject): Readonly<Record<string, string>> | undefined {
  const labels = block(asObject(object.spec).workloadSelector)?.labels
  return labels === undefined ? undefined : textMap(labels)
}

function othersOf(mesh: MeshSnapshot, object: KubeObject): readonly KubeObject[] {
  return mesh.inNamespace(KINDS.sidecar, namespaceOf(object)).filter((other) => ownName(other) !== ownName(object))
}
