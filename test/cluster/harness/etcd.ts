import { join } from 'node:path'

import { freePort } from './free-port.ts'
import type { Launched, Launcher } from './launcher.ts'

export interface Etcd {
  readonly process: Launched
  readonly url: string
}

/** Starts etcd with its data in the launcher's folder. It is not awaited: an API server waits for its etcd by itself. */
export async function startEtcd(launcher: Launcher, binary: string): Promise<Etcd> {
  const url = `http://127.0.0.1:${await freePort()}`
  const peerUrl = `http://127.0.0.1:${await freePort()}`
  const process = launcher.launch({
    name: 'etcd',
    command: binary,
    args: [
      `--data-dir=${join(launcher.folder, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--log-level=warn',
      // The data need not survive a power cut, and tests should not wait for the disk.
      '--unsafe-no-fsync',
    ],
  })
  return { process, url }
}
