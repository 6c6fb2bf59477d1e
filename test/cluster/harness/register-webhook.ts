import { CoreV1Api, type V1ConfigMap } from '@kubernetes/client-node'

import type { Json, JsonObject } from '../../../src/kube/json.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { eventually } from './eventually.ts'
import { kubectlOutput } from './kubectl.ts'

export interface RegistrationOptions {
  /** Of both configurations. */
  readonly name: string
  /** The `webhooks` of the ValidatingWebhookConfiguration; none: there is no such object. */
  readonly validating: Json
  /** The same for the MutatingWebhookConfiguration. */
  readonly mutating: Json
}

export interface Registration {
  /** Deletes both configurations and waits until the API server has forgotten them. */
  readonly remove: () => Promise<void>
}

type Kind = 'ValidatingWebhookConfiguration' | 'MutatingWebhookConfiguration'

/**
 * Creates webhook configurations and waits until the API server enforces them: it takes notice some time after it has
 * stored them. To know when, each gets one entry more, which nobody answers and which only the waiting matches.
 */
export async function registerWebhook(
  cluster: ClusterAccess,
  { name, validating, mutating }: RegistrationOptions,
): Promise<Registration> {
  const configurations = [
    ...configuration('ValidatingWebhookConfiguration', name, validating),
    ...configuration('MutatingWebhookConfiguration', name, mutating),
  ]
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: configurations.map(({ object }) => object) })
  await kubectlOutput(cluster.kubectl, ['create', '-f', '-'], { stdin })
  for (const { kind } of configurations) await waitFor('enforced', cluster, kind, name)
  return {
    remove: async () => {
      await kubectlOutput(cluster.kubectl, ['delete', '-f', '-'], { stdin })
      for (const { kind } of configurations) await waitFor('forgotten', cluster, kind, name)
    },
  }
}

const probeLabel = 'meshward.io/registration-probe'

function configuration(
  kind: Kind,
  name: string,
  webhooks: Json,
): readonly { readonly kind: Kind; readonly object: Json }[] {
  if (!Array.isArray(webhooks) || webhooks.length === 0) return []
  const probe: JsonObject = {
    name: probeName(kind, name),
    // Port 1 refuses connections at once.
    clientConfig: { url: 'https://127.0.0.1:1/' },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
    objectSelector: { matchLabels: { [probeLabel]: probeName(kind, name) } },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    timeoutSeconds: 1,
  }
  const apiVersion = 'admissionregistration.k8s.io/v1'
  return [{ kind, object: { apiVersion, kind, metadata: { name }, webhooks: [...webhooks, probe] } }]
}

function probeName(kind: Kind, name: string): string {
  return `${kind === 'ValidatingWebhookConfiguration' ? 'validating' : 'mutating'}.${name}.probe.meshward.io`
}

async function waitFor(
  state: 'enforced' | 'forgotten',
  cluster: ClusterAccess,
  kind: Kind,
  name: string,
): Promise<void> {
  const core = cluster.client.makeApiClient(CoreV1Api)
  const label = probeName(kind, name)
  const body: V1ConfigMap = { metadata: { generateName: 'probe-', labels: { [probeLabel]: label } } }
  await eventually({ what: `${kind} ${name} ${state}`, within: 20_000 }, async () => {
    const seen = await core.createNamespacedConfigMap({ namespace: 'default', dryRun: 'All', body }).then(
      () => 'forgotten',
      (error: unknown) => (String(error).includes(label) ? 'enforced' : 'unknown'),
    )
    return seen === state ? true : undefined
  })
}
