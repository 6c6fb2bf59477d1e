import { asList, asObject, equal, type Json, type JsonObject } from '../../kube/json.ts'
import { createOwned, readObject, replaceObject, type Owner } from './kept-objects.ts'

/** The lists of entries that both configurations should have. */
export interface WebhookLists {
  readonly validating: Json
  readonly mutating: Json
}

/** What a look at a configuration found, or made of it. */
export type ConfigurationState =
  | 'synced'
  | 'repaired'
  /** Somebody wrote at the same time: look again. */
  | 'contested'
  /** Gone, and the ClusterRole that would own a new one too. */
  | 'absent'
  /** Emptied by the hook that runs before an uninstall: it must stay so. */
  | 'uninstalling'

/** The annotation by which the pre-delete hook of the chart says that a configuration is empty on purpose. */
const UNINSTALLING = 'meshward.io/uninstalling'

const GROUP = 'admissionregistration.k8s.io'

/**
 * Brings both configurations of the owner's name to these lists. Only `webhooks` is written, so labels, annotations
 * and owners stay those of whoever made the objects. Rejects where the API server refuses.
 */
export async function repairWebhooks(
  owner: Owner,
  lists: WebhookLists,
): Promise<{ readonly validating: ConfigurationState; readonly mutating: ConfigurationState }> {
  // The defaults first: what the validating entry denies may be what the mutating one is about to fill.
  const mutating = await repair(owner, 'MutatingWebhookConfiguration', lists.mutating)
  const validating = await repair(owner, 'ValidatingWebhookConfiguration', lists.validating)
  return { validating, mutating }
}

async function repair(
  owner: Owner,
  kind: 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration',
  webhooks: Json,
): Promise<ConfigurationState> {
  const collection = collectionOf(kind)
  const path = `${collection}/${owner.name}`
  const found = await readObject(owner.api, path)
  if (found === undefined) {
    const object = { apiVersion: `${GROUP}/v1`, kind, metadata: { name: owner.name }, webhooks }
    return (await createOwned(owner, collection, object)) ? 'repaired' : 'absent'
  }
  if (isUninstalling(found)) return 'uninstalling'
  if (equal(found.webhooks ?? [], webhooks)) return 'synced'
  return (await replaceObject(owner.api, path, { ...found, webhooks })) ? 'repaired' : 'contested'
}

/** The authorities that the API server trusts by the entries of both configurations, each in base64, once. */
export async function trustedBundles({ api, name }: Owner): Promise<readonly string[]> {
  const bundles = new Set<string>()
  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const) {
    const found = await readObject(api, `${collectionOf(kind)}/${name}`)
    for (const entry of asList(found?.webhooks)) {
      const { caBundle } = asObject(asObject(entry).clientConfig)
      bundles.add(typeof caBundle === 'string' ? caBundle : '')
    }
  }
  return [...bundles]
}

function collectionOf(kind: 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration'): string {
  return `/apis/${GROUP}/v1/${kind.toLowerCase()}s`
}

function isUninstalling(object: JsonObject): boolean {
  return asObject(asObject(object.metadata).annotations)[UNINSTALLING] === 'true'
}
