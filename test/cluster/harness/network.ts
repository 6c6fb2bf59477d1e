import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'

import { eventually } from './eventually.ts'
import type { Launcher } from './launcher.ts'

/** Where the programs of a cluster listen and find each other. */
export interface Network {
  /** The address of the control plane in it. */
  readonly address: string
  /** Put before a command, it makes the command run in the network. */
  readonly prefix: readonly string[]
  /** A port on this machine's loopback address that leads to an address and port in the network. */
  readonly expose: (address: string, port: number) => Promise<number>
  readonly close: () => void
}

/** The loopback interface of this machine. */
export const loopback: Network = {
  address: '127.0.0.1',
  prefix: [],
  expose: (_address, port) => Promise.resolve(port),
  close: () => {},
}

/** The bridge that pods are plugged into. */
export const bridge = 'cluster0'

/** Pods have the other addresses of this /24. */
export const controlPlaneAddress = '10.200.0.1'

// Without a hardware address of its own, a bridge takes the lowest of its ports': every pod that comes or goes could change
// it, and the others would send to the old one for half a minute.
const setUp = `
ip link set lo up &&
ip link add ${bridge} address 02:00:00:00:00:01 type bridge &&
ip addr add ${controlPlaneAddress}/24 dev ${bridge} &&
ip link set ${bridge} up &&
exec sleep infinity
`

/** Why this machine cannot have networks of their own, as a sentence; nothing when it can. */
export function whyNoNetwork(): string | undefined {
  try {
    const trial = 'ip link add trial0 type veth peer name trial1 && ip link add trial2 type bridge'
    execFileSync('unshare', [...unshareFlags(), 'sh', '-c', trial], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `a cluster with nodes needs Linux with network namespaces, veth and bridge: ${error instanceof Error ? error.message : String(error)}`
  }
}

/**
 * A network namespace with a bridge for pods, invisible to the rest of the machine. It ends with the launcher. Needs no
 * root where users may have namespaces of their own.
 */
export async function createNetwork(launcher: Launcher): Promise<Network> {
  const args = [...unshareFlags(), 'sh', '-c', setUp]
  const holder = launcher.launch({ name: 'network', command: 'unshare', args })
  const prefix = [
    'nsenter',
    `--target=${holder.pid}`,
    ...(isRoot() ? [] : ['--user', '--preserve-credentials']),
    '--net',
  ]
  await eventually({ what: 'a network namespace', within: 10_000 }, () => {
    const [command = '', ...flags] = prefix
    const show = ['ip', '-oneline', 'addr', 'show', 'dev', bridge, 'up']
    const shown = execFileSync(command, [...flags, ...show], { encoding: 'utf8', stdio: 'pipe' })
    return shown.includes(controlPlaneAddress) ? true : undefined
  })
  const gateways = new Set<Gateway>()
  return {
    address: controlPlaneAddress,
    prefix,
    expose: async (host, port) => {
      const gateway = await openGateway(prefix, host, port)
      gateways.add(gateway)
      return gateway.port
    },
    close: () => {
      for (const gateway of gateways) gateway.close()
    },
  }
}

/** The same launcher, for programs in a network. */
export function launchIn({ prefix }: Network, launcher: Launcher): Launcher {
  return {
    ...launcher,
    launch: ({ command, args, ...options }) => {
      const [first = '', ...rest] = [...prefix, command, ...args]
      return launcher.launch({ ...options, command: first, args: rest })
    },
  }
}

interface Gateway {
  readonly port: number
  readonly close: () => void
}

/** A listener of this machine, served by a process in the network: a socket stays in the network it was opened in. */
async function openGateway([command = '', ...prefix]: readonly string[], host: string, port: number): Promise<Gateway> {
  const script = join(import.meta.dirname, 'network-gateway.ts')
  const child = spawn(command, [...prefix, process.execPath, script, host, String(port)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const listening = server.address()
  if (typeof listening !== 'object' || listening === null) throw new Error('the gateway does not listen')
  await new Promise<void>((resolve, reject) =>
    child.send('listener', server, (error) => (error ? reject(error) : resolve())),
  )
  server.close()
  return { port: listening.port, close: () => child.disconnect() }
}

function unshareFlags(): readonly string[] {
  return [...(isRoot() ? [] : ['--user', '--map-root-user']), '--net']
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}
