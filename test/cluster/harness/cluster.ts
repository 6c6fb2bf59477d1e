import { provideBinary, type BinaryOptions } from '../../../tools/cluster/binaries.ts'
import { openCluster, type ClusterAccess, type ClusterFiles } from './cluster-access.ts'
import { startControlPlane } from './control-plane.ts'
import { installCrds, type CrdSet } from './crds.ts'
import { createLauncher } from './launcher.ts'
import { createNetwork, launchIn, loopback, type Network } from './network.ts'
import { startNodes, type Nodes, type NodesOptions } from './nodes.ts'

export interface ClusterOptions extends BinaryOptions {
  /** `all`: a controller manager beside the API server, so that Deployments make Pods and namespaces really go. */
  readonly controllers?: 'none' | 'all'
  readonly crds?: readonly CrdSet[]
  /** Nodes that really run pods, in a network of the cluster's own; all controllers with them. Linux only. */
  readonly nodes?: NodesOptions
  /** A user whose requests to the API server are written down, see `auditFile`. */
  readonly auditedUser?: string
}

/** A cluster of one's own. */
export interface Cluster extends ClusterAccess {
  readonly files: ClusterFiles
  /** A port on this machine's loopback address that leads to an address and port in the cluster's network. */
  readonly expose: (address: string, port: number) => Promise<number>
  /** Kills the API server as a crash would. */
  readonly stopApiServer: () => Promise<void>
  /** Kills the API server unless that was done, and starts it again on the same port over the same data. */
  readonly restartApiServer: () => Promise<void>
  /** Ends every process and removes every file of the cluster. */
  readonly stop: () => Promise<void>
}

/**
 * Starts etcd and kube-apiserver on free ports, with Istio's and Gateway API's CRDs unless told otherwise. Takes about
 * six seconds once the programs are built. Nothing is left behind when it fails half-way, nor when this process is killed.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const binaries = await provideBinaries(options)
  const launcher = createLauncher()
  let network: Network = loopback
  let nodes: Nodes | undefined
  const stop = async (): Promise<void> => {
    await nodes?.stop()
    network.close()
    await launcher.close()
  }
  try {
    if (options.nodes !== undefined) network = await createNetwork(launcher)
    const inside = launchIn(network, launcher)
    const plane = await startControlPlane({ network, launcher: inside, binaries, auditedUser: options.auditedUser })
    const files = { kubeconfig: plane.kubeconfig, kubectlBinary: binaries.kubectl, folder: launcher.folder }
    const access = openCluster(files)
    const { kubectl } = access
    const crds = installCrds(kubectl, options.crds ?? ['istio', 'gateway-api'])
    if (options.nodes !== undefined) {
      nodes = startNodes({ ...options.nodes, launcher: inside, kubeconfig: plane.innerKubeconfig, kubectl })
    }
    await Promise.all([crds, nodes?.ready])
    const { stopApiServer, restartApiServer } = plane
    return { ...access, files, expose: network.expose, stopApiServer, restartApiServer, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function provideBinaries(options: ClusterOptions) {
  const controlled = options.controllers === 'all' || options.nodes !== undefined
  return {
    etcd: await provideBinary('etcd', options),
    apiServer: await provideBinary('kube-apiserver', options),
    kubectl: await provideBinary('kubectl', options),
    controllerManager: controlled ? await provideBinary('kube-controller-manager', options) : undefined,
  }
}
