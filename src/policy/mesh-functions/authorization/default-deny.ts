import type { JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf } from '../../../kube/object.ts'
import { isInMesh } from '../../../mesh/ambient-enrolment.ts'
import { defaultDenyOf } from '../../../mesh/default-deny.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { workloadsIn } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

const ALLOW_NOTHING = 'an AuthorizationPolicy without a selector and without rules'

/** The default deny of the whole mesh: that it is missing, on a scan of the root namespace; that it goes. */
export const meshDefaultDeny: Find = (context, object, params) => {
  const { rootNamespace } = meshConfigOf(context.mesh)
  const namespace = context.operation === 'SCAN' ? ownName(object) : namespaceOf(object)
  if (namespace !== rootNamespace) return []
  return missing(context, { namespace, where: 'the mesh' }, params)
}

/** The default deny of a namespace, its own or the mesh's: that it is missing, on a scan; that it goes. */
export const namespaceDefaultDeny: Find = (context, object, params) => {
  const { rootNamespace } = meshConfigOf(context.mesh)
  const namespace = context.operation === 'SCAN' ? ownName(object) : namespaceOf(object)
  if (namespace === rootNamespace || !hasMeshWorkloads(context.mesh, namespace)) return []
  return missing(context, { namespace, where: namespace }, params)
}

function missing(
  context: MeshContext,
  { namespace, where }: { readonly namespace: string; readonly where: string },
  params: JsonObject,
): readonly MeshFinding[] {
  const after = defaultDenyOf(discoveredMesh(context.mesh), namespace)
  if (after !== undefined && after.defeatedBy === undefined) return []
  const remediation = `apply ${ALLOW_NOTHING} in ${namespace}`
  if (context.operation === 'SCAN') {
    const defeat = after?.defeatedBy
    const open = `no AuthorizationPolicy denies by default in ${where}: every workload for whom none speaks may be called by anybody`
    if (defeat === undefined) return [{ field: '', message: open, remediation }]
    const message = `${nameOf(context, refOf(defeat), params)} allows everything, so nothing is denied by default in ${where}`
    return [
      {
        field: '',
        message,
        remediation: 'give it rules, or remove it',
        related: [relatedTo(context, refOf(defeat), params)],
      },
    ]
  }
  const before = defaultDenyOf(discoveredMesh(context.before), namespace)
  if (context.operation === 'CREATE' || before === undefined || before.defeatedBy !== undefined) return []
  const isDelete = context.operation === 'DELETE'
  return [
    {
      field: isDelete ? '' : 'spec',
      message: `this is what denies by default in ${where}: without it, every workload for whom no policy speaks may be called by anybody`,
      remediation: isDelete ? `${remediation} first` : `keep it, or ${remediation} first`,
    },
  ]
}

function hasMeshWorkloads(mesh: MeshSnapshot, namespace: string): boolean {
  return workloadsIn(mesh, namespace).some((workload) => isInMesh(mesh, workload))
}
