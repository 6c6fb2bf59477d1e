import { namespaceOf, type KubeObject } from '../../kube/object.ts'
import { labelsText } from '../../kube/selector.ts'
import { discoveredMesh } from '../../mesh/discovery.ts'
import { eachSelectedWorkload, selectionOf } from '../../mesh/selection.ts'
import type { MeshSnapshot } from '../../mesh/snapshot.ts'
import { workloadsIn } from '../../mesh/workloads.ts'
import type { Find } from './findings-function.ts'
import type { MeshContext } from './mesh-function.ts'

/** A policy's selector that selects nothing. */
export const idleSelector: Find = (context, object) =>
  idleIn(discoveredMesh(context.mesh), context, object, 'spec.selector.matchLabels')

/** A selector, written at `field`, that selects nothing of a mesh. */
export function idleIn(
  mesh: MeshSnapshot,
  { knowledge }: MeshContext,
  object: KubeObject,
  field: string,
): ReturnType<Find> {
  const selection = selectionOf(mesh, object)
  if (selection === undefined || Object.keys(selection.labels).length === 0) return []
  if (!eachSelectedWorkload(mesh, object).next().done) return []
  const namespace = namespaceOf(object)
  const isUnknown = selection.reach === 'mesh' || workloadsIn(mesh, namespace).length === 0
  if (knowledge === 'partial' && selection.reach !== 'nothing' && isUnknown) return [{ field, outcome: 'skip' }]
  const where = selection.reach === 'mesh' ? 'in the mesh' : `in ${namespace}`
  const ignored = `a ${object.kind} of the root namespace with a selector is ignored by Istio`
  const idle = `no workload ${where} has the labels ${labelsText(selection.labels)}, so this ${object.kind} applies to nothing`
  return [
    {
      field,
      message: selection.reach === 'nothing' ? ignored : idle,
      remediation:
        selection.reach === 'nothing'
          ? 'write it into the namespace of the workloads, or remove the selector'
          : 'write labels that the pods have',
      atMost: 'Warn',
    },
  ]
}
