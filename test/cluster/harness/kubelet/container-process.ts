import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { V1Container, V1Pod } from '@kubernetes/client-node'

import { eventually } from '../eventually.ts'
import type { Launched, Launcher } from '../launcher.ts'
import { expand, type Environment } from './container-environment.ts'
import { containerIdentity, identityCommand, mayTakeIdentities, type Identity } from './identity.ts'
import type { Image } from './image.ts'
import { mountScript, type Mount } from './mount-script.ts'

export interface ContainerProcessOptions {
  readonly launcher: Launcher
  readonly pod: V1Pod
  readonly container: V1Container
  readonly image: Image
  readonly environment: Environment
  /** Put before a command, it makes the command run in the pod's network. */
  readonly networkPrefix: readonly string[]
  /** The paths of the pod's volumes, by name. */
  readonly volumes: ReadonlyMap<string, string>
  /** What `/etc/hosts` shows. */
  readonly hostsFile: string
  /** A folder of the container's own. */
  readonly folder: string
  /** The name of its log. */
  readonly logName: string
}

/**
 * Starts the process of a container, and waits until it has its root: before that a signal would not find the program
 * that the container is for. Rejects where the settings contradict each other.
 */
export async function launchContainer(options: ContainerProcessOptions): Promise<Launched> {
  const { launcher, pod, container, image, environment, networkPrefix, folder, logName } = options
  const identity = containerIdentity(pod, container, image)
  const root = join(folder, 'root')
  mkdirSync(root, { recursive: true })
  const script = join(folder, 'mount.sh')
  const doneFile = join(folder, 'mounted')
  writeFileSync(
    script,
    mountScript({
      root,
      mounts: containerMounts(options),
      hostname: pod.metadata?.name ?? '',
      user: identity.user,
      readOnlyRoot: container.securityContext?.readOnlyRootFilesystem ?? false,
      doneFile,
    }),
  )
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const ownMounts = ['unshare', '--mount', '--propagation', 'private', 'sh', script]
  const directory = container.workingDir ?? image.workingDirectory
  const inRoot = ['chroot', root, 'env', '--ignore-environment', ...variables, `--chdir=${directory}`]
  const [command = '', ...args] = [
    ...networkPrefix,
    ...ownMounts,
    ...inRoot,
    ...identityCommand(identity),
    ...containerCommand(container, image, environment),
  ]
  const launched = launcher.launch({ name: logName, command, args })
  let ended = false
  void launched.exited.then(() => {
    ended = true
  })
  await eventually({ what: "a container's root", within: 30_000, every: 5 }, () =>
    ended || existsSync(doneFile) ? true : undefined,
  )
  return launched
}

/** A command that runs inside a running container, as exec probes do. */
export function execCommand(pid: number, { user, group }: Identity, command: readonly string[]): readonly string[] {
  const who = mayTakeIdentities() ? [`--setuid=${user}`, `--setgid=${group}`] : []
  return ['nsenter', `--target=${pid}`, '--mount', '--net', '--root', '--wd', ...who, '--', ...command]
}

function containerCommand(container: V1Container, image: Image, environment: Environment): readonly string[] {
  const given = { command: container.command ?? [], args: container.args ?? [] }
  // Kubernetes: a command replaces both the image's entrypoint and its command, args only the latter.
  const defaults = given.args.length > 0 ? [] : image.command
  const words =
    given.command.length > 0 ? [...given.command, ...given.args] : [...image.entrypoint, ...given.args, ...defaults]
  if (words.length === 0) throw new Error('no command specified')
  return words.map((word) => expand(word, environment))
}

function containerMounts({
  container,
  image,
  volumes,
  hostsFile,
  environment,
}: ContainerProcessOptions): readonly Mount[] {
  const ofImage = Object.entries(image.files).map(([target, source]) => ({ source, target, readOnly: true }))
  const ofVolumes = (container.volumeMounts ?? []).map(({ name, mountPath, readOnly, subPath, subPathExpr }) => {
    const volume = volumes.get(name)
    if (volume === undefined) throw new Error(`volume mount ${name} names no volume`)
    const part = subPathExpr === undefined ? (subPath ?? '') : expand(subPathExpr, environment)
    return { source: join(volume, part), target: mountPath, readOnly: readOnly ?? false }
  })
  return [{ source: hostsFile, target: '/etc/hosts', readOnly: true }, ...ofImage, ...ofVolumes]
}
