import { readFile } from 'node:fs/promises'

import type { JsonObject } from '../../kube/json.ts'
import type { PolicySet } from '../../policy/policy-set.ts'
import type { Source } from '../../sources/source.ts'
import { webhookLists } from '../webhook-configurations.ts'
import { DEFAULT_SETTINGS, readWebhookSettings, type WebhookSettings } from '../webhook-settings.ts'
import type { Owner } from './kept-objects.ts'
import type { Endpoint } from './endpoints.ts'
import { repairWebhooks, type ConfigurationState } from './repair-webhooks.ts'

export interface WebhookDutyOptions {
  readonly owner: Owner
  readonly namespace: string
  readonly istioNamespace: string
  /** Seconds, where the file says nothing else. */
  readonly timeoutSeconds: number
  readonly settingsFile: string | undefined
  readonly policies: Source<PolicySet>
  /** `service` or `url` of a client configuration. */
  readonly address: (path: string) => JsonObject
  /** PEM; undefined while there is none, an empty text where clients need none. */
  readonly caBundle: () => Promise<string | undefined>
  readonly endpoints: () => Promise<readonly Endpoint[]>
  readonly changed: (configuration: 'validating' | 'mutating', state: ConfigurationState) => void
}

/** What the leader does about the webhook configurations. */
export interface WebhookDuty {
  /** Reads the file of settings again; the last good ones stay in force. Rejects where it cannot be used. */
  readonly follow: () => Promise<void>
  /** Brings both to what the policies in force need. Does nothing while nobody could answer. Rejects on refusal. */
  readonly lead: () => Promise<void>
  /** What the last look found; undefined before it, and for who is not the leader. */
  state(): WebhookStates | undefined
}

export interface WebhookStates {
  readonly validating: ConfigurationState
  readonly mutating: ConfigurationState
}

/** Rejects where the file of settings cannot be used to begin with. */
export async function createWebhookDuty(options: WebhookDutyOptions): Promise<WebhookDuty> {
  const defaults = { ...DEFAULT_SETTINGS, timeoutSeconds: options.timeoutSeconds }
  let settings = await readSettings(options.settingsFile, defaults)
  let states: WebhookStates | undefined
  return {
    follow: async () => {
      settings = await readSettings(options.settingsFile, defaults)
    },
    state: () => states,
    lead: async () => {
      const bundle = await options.caBundle()
      if (bundle === undefined || !options.policies.hasSynced()) return
      // A configuration that leads to nobody would refuse everything that fails closed.
      if (states === undefined && !(await options.endpoints()).some(({ ready }) => ready)) return
      const lists = webhookLists(options.policies.current(), {
        name: options.owner.name,
        clientConfig: (path) => ({ ...options.address(path), ...caBundleOf(bundle) }),
        excludedNamespaces: [...new Set(['kube-system', options.namespace])],
        istioNamespace: options.istioNamespace,
        settings,
      })
      const before = states
      states = await repairWebhooks(options.owner, lists)
      for (const one of ['validating', 'mutating'] as const)
        if (states[one] !== (before?.[one] ?? 'synced')) options.changed(one, states[one])
    },
  }
}

function caBundleOf(bundle: string): JsonObject {
  return bundle === '' ? {} : { caBundle: Buffer.from(bundle).toString('base64') }
}

/** Settings from a file, or these where there is none. Rejects with the place of what is wrong. */
async function readSettings(file: string | undefined, defaults: WebhookSettings): Promise<WebhookSettings> {
  if (file === undefined) return defaults
  const outcome = readWebhookSettings(await readFile(file, 'utf8'), defaults)
  if (!outcome.ok) throw new Error(`${file}:${outcome.reason}`)
  return outcome.settings
}
