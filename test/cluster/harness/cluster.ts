import { join } from 'node:path'

import { provideBinary, type BinaryOptions } from '../../../tools/cluster/binaries.ts'
import { apiServerName, authorityFile, awaitApiServer, launchApiServer } from './api-server.ts'
import { openCluster, type ClusterAccess, type ClusterFiles } from './cluster-access.ts'
import { launchControllerManager } from './controller-manager.ts'
import { installCrds, type CrdSet } from './crds.ts'
import { createCredentials } from './credentials.ts'
import { startEtcd } from './etcd.ts'
import { freePort } from './free-port.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { createLauncher, type Launcher } from './launcher.ts'

export interface ClusterOptions extends BinaryOptions {
  /** `all`: a controller manager beside the API server, so that Deployments make Pods and namespaces really go. */
  readonly controllers?: 'none' | 'all'
  readonly crds?: readonly CrdSet[]
}

/** A cluster of one's own. */
export interface Cluster extends ClusterAccess {
  readonly files: ClusterFiles
  /** Kills the API server as a crash would, and starts it again on the same port over the same data. */
  readonly restartApiServer: () => Promise<void>
  /** Ends every process and removes every file of the cluster. */
  readonly stop: () => Promise<void>
}

/**
 * Starts etcd and kube-apiserver on free loopback ports, with Istio's and Gateway API's CRDs unless told otherwise.
 * Takes about six seconds once the programs are built. Nothing is left behind when it fails half-way, nor when this
 * process is killed.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const binaries = await provideBinaries(options)
  const launcher = createLauncher()
  try {
    return await startIn(launcher, binaries, options)
  } catch (error) {
    await launcher.close()
    throw error
  }
}

interface Binaries {
  readonly etcd: string
  readonly apiServer: string
  readonly kubectl: string
  readonly controllerManager: string | undefined
}

async function provideBinaries(options: ClusterOptions): Promise<Binaries> {
  return {
    etcd: await provideBinary('etcd', options),
    apiServer: await provideBinary('kube-apiserver', options),
    kubectl: await provideBinary('kubectl', options),
    controllerManager:
      options.controllers === 'all' ? await provideBinary('kube-controller-manager', options) : undefined,
  }
}

async function startIn(launcher: Launcher, binaries: Binaries, options: ClusterOptions): Promise<Cluster> {
  const { folder } = launcher
  const address = '127.0.0.1'
  const etcd = await startEtcd(launcher, binaries.etcd)
  const credentials = createCredentials(folder)
  const apiServer = {
    binary: binaries.apiServer,
    etcdUrl: etcd.url,
    address,
    port: await freePort(),
    credentials,
    // It refuses pods until a controller has made their namespace's service account.
    withoutAdmission: binaries.controllerManager === undefined ? ['ServiceAccount'] : [],
  }
  const startApiServer = async () => {
    const process = launchApiServer(launcher, apiServer)
    await awaitApiServer({ launcher, process, port: apiServer.port, adminToken: credentials.adminToken })
    return process
  }
  let running = await startApiServer()
  const authority = authorityFile(launcher)
  const kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), {
    server: `https://${address}:${apiServer.port}`,
    authority,
    serverName: apiServerName,
    token: credentials.adminToken,
  })
  if (binaries.controllerManager !== undefined) {
    launchControllerManager(launcher, { binary: binaries.controllerManager, kubeconfig, authority, credentials })
  }
  const files = { kubeconfig, kubectlBinary: binaries.kubectl, folder }
  const access = openCluster(files)
  await installCrds(access.kubectl, options.crds ?? ['istio', 'gateway-api'])
  return {
    ...access,
    files,
    restartApiServer: async () => {
      running.signal('SIGKILL')
      await running.exited
      running = await startApiServer()
    },
    stop: () => launcher.close(),
  }
}
