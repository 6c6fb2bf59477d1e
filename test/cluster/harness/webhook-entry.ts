import type { JsonObject } from '../../../src/kube/json.ts'

export interface WebhookEntryOptions {
  /** Ends in `.meshward.io`. */
  readonly name: string
  readonly clientConfig: JsonObject
  readonly rules: readonly JsonObject[]
  readonly failurePolicy: 'Fail' | 'Ignore'
}

/** A webhook entry with the settings that every entry of Meshward has. */
export function webhookEntry(options: WebhookEntryOptions): JsonObject {
  return {
    ...options,
    rules: [...options.rules],
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 3,
    admissionReviewVersions: ['v1'],
  }
}

/** The client configuration of a webhook at a URL, for a PEM certificate authority. */
export function urlClientConfig(url: string, ca: string): JsonObject {
  return { url, caBundle: Buffer.from(ca).toString('base64') }
}
