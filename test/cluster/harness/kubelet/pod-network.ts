import { execFile } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { promisify } from 'node:util'

import { eventually } from '../eventually.ts'
import type { Launcher } from '../launcher.ts'
import { bridge, controlPlaneAddress } from '../network.ts'

/** The network that the containers of one pod share. */
export interface PodNetwork {
  readonly address: string
  /** Put before a command, it makes the command run in the network. */
  readonly prefix: readonly string[]
  readonly close: () => void
}

export interface PodNetworks {
  /** Makes a network with an address that no other pod has. */
  readonly open: () => Promise<PodNetwork>
}

const run = promisify(execFile)

/** Networks of pods, plugged into the cluster's bridge as a container runtime would do it: each has its own ports. */
export function createPodNetworks(launcher: Launcher): PodNetworks {
  const taken = new Set<number>()
  let last = 1
  // The next one up, not the lowest: an address should not come back while somebody still remembers its last owner.
  const takeNumber = (): number => {
    for (let tries = 0; tries < 253; tries++) {
      last = last === 254 ? 2 : last + 1
      if (!taken.has(last)) return last
    }
    throw new Error('all addresses for pods are in use')
  }
  return {
    open: async () => {
      const number = takeNumber()
      taken.add(number)
      const holder = launcher.launch({ name: 'pod-networks', command: 'unshare', args: ['--net', 'sleep', 'infinity'] })
      const address = controlPlaneAddress.replace(/\d+$/, String(number))
      const prefix = ['nsenter', `--target=${holder.pid}`, '--net']
      const close = (): void => {
        holder.signal('SIGKILL')
        taken.delete(number)
      }
      try {
        await plugIn({ pid: holder.pid, prefix, address, link: `pod${number}` })
        return { address, prefix, close }
      } catch (error) {
        close()
        throw error
      }
    },
  }
}

interface Plug {
  readonly pid: number
  readonly prefix: readonly string[]
  readonly address: string
  readonly link: string
}

async function plugIn({ pid, prefix: [nsenter = '', ...flags], address, link }: Plug): Promise<void> {
  const own = readlinkSync('/proc/self/ns/net')
  await eventually({ what: "a pod's network namespace", within: 10_000, every: 5 }, () =>
    readlinkSync(`/proc/${pid}/ns/net`) === own ? undefined : true,
  )
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)])
  await run('ip', ['link', 'set', link, 'master', bridge, 'up'])
  const inside = [
    'ip link set lo up',
    `ip addr add ${address}/24 dev eth0`,
    'ip link set eth0 up',
    `ip route add default via ${controlPlaneAddress}`,
  ]
  await run(nsenter, [...flags, 'sh', '-c', inside.join(' && ')])
}
