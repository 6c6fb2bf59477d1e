import type { AdmissionRequest } from '../engine/request.ts'
import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import type { GroupVersionKind, GroupVersionResource } from '../kube/object.ts'
import { failed, type Outcome } from './http-problem.ts'

/**
 * The request of an AdmissionReview (admission.k8s.io/v1) that came as JSON. What cannot be one is a problem with
 * status 400, so that the `failurePolicy` of the cluster decides. The object in it may hold anything.
 */
export function readAdmissionReview(review: unknown): Outcome<AdmissionRequest> {
  if (!isObject(review) || review.kind !== 'AdmissionReview')
    return notAReview('it is no object with kind: AdmissionReview')
  if (review.apiVersion !== 'admission.k8s.io/v1') return otherVersion(review.apiVersion)
  const { request } = review
  if (!isObject(request)) return notAReview('it has no request')
  const { uid, operation } = request
  if (typeof uid !== 'string' || uid === '') return notAReview('request.uid is no text')
  if (!isOperation(operation)) return notAReview('request.operation is none of CREATE, UPDATE, DELETE and CONNECT')
  const kind = readKind(request.kind)
  if (kind === undefined) return notAReview('request.kind does not name group, version and kind')
  const resource = readResource(request.resource)
  if (resource === undefined) return notAReview('request.resource does not name group, version and resource')
  const object = readObject(request.object)
  const oldObject = readObject(request.oldObject)
  if (object === undefined || oldObject === undefined)
    return notAReview('request.object and request.oldObject are objects or null')
  if (object === null && (operation === 'CREATE' || operation === 'UPDATE'))
    return notAReview(`request.object is missing, which every ${operation} has`)
  const userInfo = asObject(request.userInfo)
  return {
    ok: true,
    value: {
      uid,
      operation,
      kind,
      resource,
      subResource: text(request.subResource),
      name: text(request.name),
      namespace: text(request.namespace),
      object,
      oldObject,
      userInfo: {
        username: text(userInfo.username),
        groups: asList(userInfo.groups).filter((group) => typeof group === 'string'),
      },
      dryRun: request.dryRun === true,
      raw: request,
    },
  }
}

type Refused = Extract<Outcome<never>, { ok: false }>

function notAReview(what: string): Refused {
  return failed(400, `the body is no AdmissionReview: ${what}. Send what kube-apiserver sends to a webhook.`)
}

function otherVersion(apiVersion: Json | undefined): Refused {
  const written = typeof apiVersion === 'string' ? `"${apiVersion}"` : 'none'
  return failed(
    400,
    `the AdmissionReview's apiVersion is ${written}; this webhook speaks admission.k8s.io/v1. ` +
      'Set admissionReviewVersions: ["v1"] in the webhook configuration.',
  )
}

function isOperation(value: Json | undefined): value is Exclude<AdmissionRequest['operation'], 'SCAN'> {
  return value === 'CREATE' || value === 'UPDATE' || value === 'DELETE' || value === 'CONNECT'
}

function readKind(value: Json | undefined): GroupVersionKind | undefined {
  const { group, version, kind } = asObject(value)
  if (typeof version !== 'string' || typeof kind !== 'string') return undefined
  return { group: text(group), version, kind }
}

function readResource(value: Json | undefined): GroupVersionResource | undefined {
  const { group, version, resource } = asObject(value)
  if (typeof version !== 'string' || typeof resource !== 'string') return undefined
  return { group: text(group), version, resource }
}

/** An object or null; undefined for anything else. */
function readObject(value: Json | undefined): JsonObject | null | undefined {
  if (value === undefined || value === null) return null
  return isObject(value) ? value : undefined
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
