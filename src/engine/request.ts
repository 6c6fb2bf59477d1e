import type { GroupVersionKind, GroupVersionResource } from '../kube/object.ts'
import type { JsonObject } from '../kube/json.ts'
import type { Operation } from '../policy/policy.ts'

/** What is to be judged: an AdmissionReview's request, or the same made from a manifest by the command line. */
export interface AdmissionRequest {
  readonly uid: string
  readonly operation: Operation
  readonly kind: GroupVersionKind
  readonly resource: GroupVersionResource
  readonly subResource: string
  /** Empty when the API server has still to generate it. */
  readonly name: string
  /** Empty for cluster-scoped kinds. For a Namespace it is the namespace's own name, as the API server sends it. */
  readonly namespace: string
  /** Null on DELETE. */
  readonly object: JsonObject | null
  /** Null on CREATE. */
  readonly oldObject: JsonObject | null
  readonly userInfo: UserInfo
  readonly dryRun: boolean
  /** The request as it came, for CEL's `request`; built from the fields above where there was none. */
  readonly raw?: JsonObject
}

export interface UserInfo {
  readonly username: string
  readonly groups: readonly string[]
}
