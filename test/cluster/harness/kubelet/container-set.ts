import { join } from 'node:path'

import type { V1Container, V1Pod } from '@kubernetes/client-node'

import { containerEnvironment } from './container-environment.ts'
import { execCommand, launchContainer } from './container-process.ts'
import type { ContainerReport } from './container-report.ts'
import type { PodFacts } from './field-reference.ts'
import { containerIdentity } from './identity.ts'
import { findImage } from './image.ts'
import type { KubeletContext } from './kubelet-context.ts'
import { runCommand } from './probe.ts'
import {
  runContainer,
  type RunningContainer,
  type RunContainerOptions,
  type StartedContainer,
} from './run-container.ts'

/** What the containers of a pod share. */
export interface PodGround {
  readonly facts: PodFacts
  /** Put before a command, it makes the command run in the pod's network. */
  readonly networkPrefix: readonly string[]
  /** The paths of the pod's volumes, by name. */
  readonly volumes: ReadonlyMap<string, string>
}

/** What a container printed. */
export interface ContainerLogs {
  /** One for each start, the oldest first. */
  readonly files: readonly string[]
  /** Whether something may be added to the last. */
  readonly isRunning: () => boolean
}

/** The containers of one pod that have been started so far. */
export interface ContainerSet {
  readonly start: (
    container: V1Container,
    restart: RunContainerOptions['restart'],
    ground: PodGround,
  ) => RunningContainer
  readonly reports: () => ReadonlyMap<string, ContainerReport>
  /** Ends all of them: preStop hooks, SIGTERM, `grace` seconds, SIGKILL. */
  readonly stop: (grace: number) => void
  /** Ends all of them at once. */
  readonly kill: () => void
  /** Undefined: there is no such container, or it has not been started. */
  readonly logs: (container: string) => ContainerLogs | undefined
}

export interface ContainerSetOptions {
  readonly context: KubeletContext
  readonly pod: V1Pod
  /** The pod's own folder. */
  readonly folder: string
  readonly onChange: () => void
}

/** An empty set of containers for a pod. */
export function createContainerSet(options: ContainerSetOptions): ContainerSet {
  const { context, pod, onChange } = options
  const running = new Map<string, RunningContainer>()
  const logs = new Map<string, ContainerLogs>()
  return {
    start: (container, restart, ground) => {
      const files: string[] = []
      const launch = (): Promise<StartedContainer> => startProcess({ ...options, container, ground, files })
      const grace = pod.spec?.terminationGracePeriodSeconds ?? 30
      const started = runContainer({ container, restart, grace, backoff: context.backoff, launch, onChange })
      running.set(container.name, started)
      logs.set(container.name, { files, isRunning: () => started.report().state.phase === 'running' })
      return started
    },
    reports: () => new Map([...running].map(([name, container]) => [name, container.report()])),
    stop: (grace) => {
      for (const container of running.values()) container.stop(grace)
    },
    kill: () => {
      for (const container of running.values()) container.kill()
    },
    logs: (name) => logs.get(name),
  }
}

interface StartProcessOptions extends ContainerSetOptions {
  readonly container: V1Container
  readonly ground: PodGround
  /** The logs of its earlier starts; this one's is added. */
  readonly files: string[]
}

async function startProcess({
  context,
  pod,
  folder,
  container,
  ground,
  files,
}: StartProcessOptions): Promise<StartedContainer> {
  const { core, launcher, images, apiServer, hostsFile } = context
  const { facts, networkPrefix, volumes } = ground
  const reference = container.image ?? ''
  const image = findImage(images, reference)
  if (image === undefined) {
    throw new Error(`image "${reference}" is none of those of this kubelet: ${Object.keys(images).join(', ')}`)
  }
  const environment = await containerEnvironment({ core, pod, container, image, facts, apiServer })
  const start = `${container.name}-${files.length}`
  const process = await launchContainer({
    launcher,
    pod,
    container,
    image,
    environment,
    networkPrefix,
    volumes,
    hostsFile,
    folder: join(folder, start),
    logName: `${pod.metadata?.namespace}_${pod.metadata?.name}_${start}`,
  })
  files.push(process.logFile)
  const identity = containerIdentity(pod, container, image)
  const exec = (command: readonly string[], timeout: number): Promise<void> =>
    runCommand(execCommand(process.pid, identity, command), { env: environment, timeout })
  return { process, target: { container, podAddress: facts.address, exec } }
}
