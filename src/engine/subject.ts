import { nameOf, type ObjectRef } from '../kube/object.ts'
import type { AdmissionRequest } from './request.ts'

/** What a person calls the object of a request. */
export function subjectOf(request: AdmissionRequest): ObjectRef {
  const { group, version, kind } = request.kind
  const isNamespace = request.resource.group === '' && request.resource.resource === 'namespaces'
  return {
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    namespace: isNamespace ? '' : request.namespace,
    name: request.name === '' ? nameOf(request.object ?? request.oldObject) : request.name,
  }
}
