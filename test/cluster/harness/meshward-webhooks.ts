import { join } from 'node:path'

import type { Json } from '../../../src/kube/json.ts'
import { createPolicyCompiler } from '../../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../../src/policy/mesh-functions/all.ts'
import { loadPolicySet } from '../../../src/sources/policy-files.ts'
import { webhookLists } from '../../../src/webhook/webhook-configurations.ts'
import { urlClientConfig } from './webhook-entry.ts'

export interface MeshwardWebhooksOptions {
  readonly url: string
  readonly ca: string
  /** Policies beside the shipped ones, as `--policies` of the server. */
  readonly policies?: readonly string[]
  /** As `--bindings` of the server. */
  readonly bindings?: readonly string[]
}

const shipped = join(import.meta.dirname, '../../../policies')

/** The webhook lists that a Meshward with these policies needs, with the server at a URL. */
export function meshwardWebhooks(options: MeshwardWebhooksOptions): {
  readonly validating: Json
  readonly mutating: Json
} {
  const { url, ca, policies = [], bindings = [] } = options
  const files = { policies: [shipped, ...policies], bindings, enforcement: 'enforce' } as const
  const outcome = loadPolicySet(files, createPolicyCompiler(MESH_FUNCTIONS))
  if (!outcome.ok)
    throw new Error(outcome.issues.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'))
  return webhookLists(outcome.set, {
    name: 'meshward',
    clientConfig: (path) => urlClientConfig(`${url}${path}`, ca),
    excludedNamespaces: ['kube-system', 'meshward-system'],
    istioNamespace: 'istio-system',
  })
}
