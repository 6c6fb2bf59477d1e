import type { AdmissionRequest } from '../../src/engine/request.ts'
import type { JsonObject } from '../../src/kube/json.ts'
import { nameOf, namespaceOf, parseApiVersion } from '../../src/kube/object.ts'
import { resourceOf } from '../../src/kube/resource-names.ts'

/** The request that the API server would send for an object: a CREATE, or an UPDATE where there is an old object. */
export function requestFor(
  object: JsonObject,
  old: JsonObject | null = null,
  more: Partial<AdmissionRequest> = {},
): AdmissionRequest {
  const { group, version } = parseApiVersion(typeof object.apiVersion === 'string' ? object.apiVersion : 'v1')
  const kind = typeof object.kind === 'string' ? object.kind : ''
  const { resource, scope } = resourceOf(group, kind)
  const namespace = scope === 'Cluster' ? '' : namespaceOf(object) || 'default'
  return {
    uid: 'u',
    operation: old === null ? 'CREATE' : 'UPDATE',
    kind: { group, version, kind },
    resource: { group, version, resource },
    subResource: '',
    name: nameOf(object),
    namespace: kind === 'Namespace' ? nameOf(object) : namespace,
    object,
    oldObject: old,
    userInfo: { username: 'jane', groups: ['system:authenticated'] },
    dryRun: false,
    ...more,
  }
}
