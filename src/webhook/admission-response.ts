import type { Decision } from '../engine/decision.ts'
import { parseApiVersion } from '../kube/object.ts'
import { auditAnnotations } from './audit-annotations.ts'
import { denialMessage, denials } from './denial-message.ts'
import { filledWarnings, findingWarnings } from './warnings.ts'

/** `response` of an AdmissionReview (admission.k8s.io/v1). */
export interface AdmissionResponse {
  readonly uid: string
  readonly allowed: boolean
  readonly status?: DenialStatus
  readonly warnings?: readonly string[]
  readonly auditAnnotations: Readonly<Record<string, string>>
  readonly patchType?: 'JSONPatch'
  /** A JSON Patch in base64, as Go reads a `[]byte`. */
  readonly patch?: string
}

/** The part of a metav1.Status that the API server passes on to the client. */
export interface DenialStatus {
  readonly status: 'Failure'
  readonly code: 403
  /** With `Invalid`, kubectl would print the causes and not the message. */
  readonly reason: 'Forbidden'
  readonly message: string
  readonly details: {
    readonly group: string
    readonly kind: string
    readonly name: string
    readonly causes: readonly { readonly reason: string; readonly message: string; readonly field: string }[]
  }
}

/** What `/validate` answers: the verdict, why, and what is only warned of. */
export function validationResponse(decision: Decision): AdmissionResponse {
  const warnings = findingWarnings(decision)
  return {
    uid: decision.uid,
    allowed: decision.allowed,
    ...(decision.allowed ? {} : { status: denialStatus(decision) }),
    ...(warnings.length > 0 ? { warnings } : {}),
    auditAnnotations: auditAnnotations(decision),
  }
}

/** What `/mutate` answers: the patch and what it fills. It refuses nothing; findings are for `/validate` to tell. */
export function mutationResponse(decision: Decision): AdmissionResponse {
  const warnings = filledWarnings(decision)
  return {
    uid: decision.uid,
    allowed: true,
    ...(warnings.length > 0 ? { warnings } : {}),
    auditAnnotations: auditAnnotations(decision),
    ...(decision.patch.length > 0 ? { patchType: 'JSONPatch', patch: base64(decision.patch) } : {}),
  }
}

function denialStatus(decision: Decision): DenialStatus {
  const { apiVersion, kind, name } = decision.object
  const causes = denials(decision).map(({ code, field, message }) => ({ reason: code, message, field }))
  return {
    status: 'Failure',
    code: 403,
    reason: 'Forbidden',
    message: denialMessage(decision),
    details: { group: parseApiVersion(apiVersion).group, kind, name, causes },
  }
}

function base64(patch: Decision['patch']): string {
  return Buffer.from(JSON.stringify(patch)).toString('base64')
}
