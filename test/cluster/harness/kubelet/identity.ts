import { readFileSync } from 'node:fs'

import type { V1Container, V1Pod } from '@kubernetes/client-node'

import type { Image } from './image.ts'

/** Who a container's processes are and what they may. */
export interface Identity {
  readonly user: number
  readonly group: number
  readonly supplementalGroups: readonly number[]
  /** Names as Kubernetes has them, `NET_BIND_SERVICE`; `ALL` among `drop` means what it says. */
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] }
  readonly mayGainPrivileges: boolean
}

/** The identity that the security contexts of a pod and a container ask for. Throws where they contradict the image. */
export function containerIdentity(pod: V1Pod, container: V1Container, image: Image): Identity {
  const forPod = pod.spec?.securityContext
  const own = container.securityContext
  const user = own?.runAsUser ?? forPod?.runAsUser ?? image.user
  if ((own?.runAsNonRoot ?? forPod?.runAsNonRoot) === true && user === 0) {
    throw new Error('container has runAsNonRoot and image will run as root')
  }
  return {
    user,
    group: own?.runAsGroup ?? forPod?.runAsGroup ?? (user === image.user ? image.user : 0),
    supplementalGroups: [
      ...(forPod?.supplementalGroups ?? []),
      ...(forPod?.fsGroup === undefined ? [] : [forPod.fsGroup]),
    ],
    capabilities: { add: own?.capabilities?.add ?? [], drop: own?.capabilities?.drop ?? [] },
    mayGainPrivileges: own?.allowPrivilegeEscalation ?? true,
  }
}

/**
 * Whether processes can be given other users: not in a user namespace that maps nobody but root, where a machine's
 * ordinary user runs the tests. There everything else of an identity still holds.
 */
export function mayTakeIdentities(): boolean {
  const [, , count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)
  return Number(count) > 1
}

/** A command that takes an identity and then becomes the command put after it. */
export function identityCommand(identity: Identity): readonly string[] {
  const { user, group, supplementalGroups, capabilities, mayGainPrivileges } = identity
  const groups = supplementalGroups.length === 0 ? '--clear-groups' : `--groups=${supplementalGroups.join(',')}`
  return [
    'setpriv',
    ...(mayTakeIdentities() ? [`--reuid=${user}`, `--regid=${group}`, groups] : []),
    `--bounding-set=${capabilitySet(capabilities)}`,
    '--inh-caps=-all',
    ...(mayGainPrivileges ? [] : ['--no-new-privs']),
    '--',
  ]
}

/** What container runtimes leave to a container that asks for nothing. */
const usual = [
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'net_bind_service',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
]

function capabilitySet({ add, drop }: Identity['capabilities']): string {
  const dropped = new Set(drop.map((name) => name.toLowerCase()))
  const kept = dropped.has('all') ? [] : usual.filter((name) => !dropped.has(name))
  const added = add.map((name) => name.toLowerCase())
  return ['-all', ...new Set([...kept, ...added])].map((name) => (name === '-all' ? name : `+${name}`)).join(',')
}
