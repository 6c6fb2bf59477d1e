import type { CoreV1Api } from '@kubernetes/client-node'

import type { Launcher } from '../launcher.ts'
import type { Images } from './image.ts'
import type { PodNetworks } from './pod-network.ts'
import type { Backoff } from './run-container.ts'
import type { ServiceAccountTokens } from './service-account-token.ts'

/** What all pods of a kubelet share. */
export interface KubeletContext {
  readonly core: CoreV1Api
  readonly launcher: Launcher
  readonly networks: PodNetworks
  readonly images: Images
  readonly tokens: ServiceAccountTokens
  readonly backoff: Backoff
  /** The address of the node in its network. */
  readonly hostAddress: string
  /** Where containers find the API server. */
  readonly apiServer: { readonly host: string; readonly port: number }
  /** What containers see as `/etc/hosts`: it is written to in place. */
  readonly hostsFile: string
}
