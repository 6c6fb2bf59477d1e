import type { Credentials } from './credentials.ts'
import type { Launched, Launcher } from './launcher.ts'

export interface ControllerManagerOptions {
  readonly binary: string
  readonly kubeconfig: string
  readonly authority: string
  readonly credentials: Credentials
}

/** Starts the controller manager. It serves nothing, so there is nothing to wait for: its deeds are the sign of life. */
export function launchControllerManager(launcher: Launcher, options: ControllerManagerOptions): Launched {
  return launcher.launch({
    name: 'kube-controller-manager',
    command: options.binary,
    args: [
      `--kubeconfig=${options.kubeconfig}`,
      `--root-ca-file=${options.authority}`,
      `--service-account-private-key-file=${options.credentials.serviceAccountKey}`,
      // Controllers call as themselves, as in real clusters: who deletes and collects is a question that webhooks ask.
      '--use-service-account-credentials=true',
      '--leader-elect=false',
      '--secure-port=0',
      // The defaults (20 and 30) would make the tests wait for a clusterful of objects.
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ],
  })
}
