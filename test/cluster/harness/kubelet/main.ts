// The small kubelet of the tests, to be run in the network of a cluster: node main.ts <config file>
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'

import { apiServerService } from '../api-server.ts'
import { createLauncher } from '../launcher.ts'
import { controlPlaneAddress } from '../network.ts'
import { keepPods } from './keep-pods.ts'
import { readKubeletConfig } from './kubelet-config.ts'
import { startLogServer } from './log-server.ts'
import { keepNodes } from './node-objects.ts'
import { createPodNetworks } from './pod-network.ts'
import { createServiceAccountTokens } from './service-account-token.ts'
import { keepServices } from './service-proxy.ts'

const [, , configFile = ''] = process.argv
const { kubeconfig, nodes, images, backoff } = readKubeletConfig(configFile)
const client = new KubeConfig()
client.loadFromFile(kubeconfig)
const core = client.makeApiClient(CoreV1Api)
const launcher = createLauncher()
const stop = new AbortController()
const { signal } = stop

process.once('SIGTERM', () => {
  stop.abort()
  void launcher.close().then(() => {
    // A worker whose container was killed may have written files of the pod anew.
    rmSync(launcher.folder, { recursive: true, force: true })
    process.exit()
  })
})

const hostsFile = join(launcher.folder, 'hosts')
writeFileSync(hostsFile, '')
keepServices({ core, client, hostsFile, signal })

const context = {
  core,
  launcher,
  networks: createPodNetworks(launcher),
  images,
  tokens: createServiceAccountTokens(core),
  backoff,
  hostAddress: controlPlaneAddress,
  apiServer: { host: apiServerService, port: 443 },
  hostsFile,
}
const pods = keepPods(context, nodes, signal)
const port = 10_250
await startLogServer({ address: controlPlaneAddress, port, logs: pods.logs })
await keepNodes({ core, client, names: nodes, address: controlPlaneAddress, port, signal })
