import { namespaceOf } from '../../kube/object.ts'
import { discoveredMesh } from '../../mesh/discovery.ts'
import { eachSelectedWorkload, selectionOf } from '../../mesh/selection.ts'
import { workloadsIn } from '../../mesh/workloads.ts'
import type { Find } from './findings-function.ts'

/** A policy's selector that selects nothing. */
export const idleSelector: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const selection = selectionOf(mesh, object)
  if (selection === undefined || Object.keys(selection.labels).length === 0) return []
  if (!eachSelectedWorkload(mesh, object).next().done) return []
  const namespace = namespaceOf(object)
  const field = 'spec.selector.matchLabels'
  const isUnknown = selection.reach === 'mesh' || workloadsIn(mesh, namespace).length === 0
  if (context.knowledge === 'partial' && selection.reach !== 'nothing' && isUnknown) return [{ field, outcome: 'skip' }]
  const labels = Object.entries(selection.labels).map(([key, value]) => `${key}=${value}`)
  const where = selection.reach === 'mesh' ? 'in the mesh' : `in ${namespace}`
  const ignored = `a ${object.kind} of the root namespace with a selector is ignored by Istio`
  const idle = `no workload ${where} has the labels ${labels.join(',')}, so this ${object.kind} applies to nothing`
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
