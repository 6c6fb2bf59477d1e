import { join } from 'node:path'

import { apiServerName, authorityFile, awaitApiServer, launchApiServer } from './api-server.ts'
import { launchControllerManager } from './controller-manager.ts'
import { createCredentials } from './credentials.ts'
import { startEtcd } from './etcd.ts'
import { freePort } from './free-port.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import type { Launcher } from './launcher.ts'
import type { Network } from './network.ts'

export interface ControlPlaneOptions {
  readonly network: Network
  /** Starts programs in that network. */
  readonly launcher: Launcher
  readonly binaries: {
    readonly etcd: string
    readonly apiServer: string
    /** None: a cluster without controllers. */
    readonly controllerManager: string | undefined
  }
  /** A user whose requests are written down, see `auditFile`. */
  readonly auditedUser?: string | undefined
}

export interface ControlPlane {
  /** The path of a kubeconfig for this machine. */
  readonly kubeconfig: string
  /** The path of a kubeconfig for programs in the cluster's network. */
  readonly innerKubeconfig: string
  readonly stopApiServer: () => Promise<void>
  readonly restartApiServer: () => Promise<void>
}

/** Starts etcd, an API server, and controllers if there are to be any, and waits until the API server is ready. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { network, launcher, binaries, auditedUser } = options
  const { folder } = launcher
  const etcd = await startEtcd(launcher, binaries.etcd)
  const credentials = createCredentials(folder)
  const { address } = network
  const port = await freePort()
  const apiServer = {
    binary: binaries.apiServer,
    etcdUrl: etcd.url,
    address,
    port,
    credentials,
    auditedUser,
    // It refuses pods until a controller has made their namespace's service account.
    withoutAdmission: binaries.controllerManager === undefined ? ['ServiceAccount'] : [],
  }
  const outerPort = await network.expose(address, port)
  const startApiServer = async () => {
    const process = launchApiServer(launcher, apiServer)
    await awaitApiServer({ launcher, process, port: outerPort, adminToken: credentials.adminToken })
    return process
  }
  let running = await startApiServer()
  const stopApiServer = async () => {
    running.signal('SIGKILL')
    await running.exited
  }
  const authority = authorityFile(launcher)
  const kubeconfigFor = (file: string, server: string): string =>
    writeKubeconfig(join(folder, file), { server, authority, serverName: apiServerName, token: credentials.adminToken })
  const kubeconfig = kubeconfigFor('kubeconfig', `https://127.0.0.1:${outerPort}`)
  const innerKubeconfig = kubeconfigFor('kubeconfig.inner', `https://${address}:${port}`)
  if (binaries.controllerManager !== undefined) {
    const binary = binaries.controllerManager
    launchControllerManager(launcher, { binary, kubeconfig: innerKubeconfig, authority, credentials })
  }
  return {
    kubeconfig,
    innerKubeconfig,
    stopApiServer,
    restartApiServer: async () => {
      await stopApiServer()
      running = await startApiServer()
    },
  }
}
