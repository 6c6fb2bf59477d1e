import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1Pod,
  V1PodCondition,
  V1PodStatus,
} from '@kubernetes/client-node'

import { untouched, type ContainerReport, type Termination } from './container-report.ts'
import type { PodFacts } from './field-reference.ts'

/** How far a pod is. */
export interface PodProgress {
  /** Unknown until the pod has a network. */
  readonly facts: PodFacts | undefined
  readonly startTime: Date
  readonly initialized: boolean
  /** Why the containers cannot be started yet. */
  readonly problem: { readonly reason: string; readonly message: string } | undefined
  readonly reports: ReadonlyMap<string, ContainerReport>
  /** Known when the pod is over. */
  readonly outcome: 'Succeeded' | 'Failed' | undefined
}

export interface PodStatusOptions {
  readonly pod: V1Pod
  readonly progress: PodProgress
  /** The status before: a condition that stays as it is keeps its time. */
  readonly previous: V1PodStatus | undefined
  readonly now: Date
}

/** What a pod's status says of its progress. */
export function podStatus(options: PodStatusOptions): V1PodStatus {
  const { pod, progress } = options
  const { facts, startTime } = progress
  return {
    phase: phaseOf(progress),
    startTime,
    ...(facts === undefined
      ? {}
      : {
          podIP: facts.address,
          podIPs: [{ ip: facts.address }],
          hostIP: facts.hostAddress,
          hostIPs: [{ ip: facts.hostAddress }],
        }),
    conditions: conditions(options),
    containerStatuses: (pod.spec?.containers ?? []).map((container) => containerStatus(container, progress)),
    ...(pod.spec?.initContainers === undefined
      ? {}
      : { initContainerStatuses: pod.spec.initContainers.map((container) => containerStatus(container, progress)) }),
  }
}

function phaseOf({ outcome, initialized, reports }: PodProgress): string {
  if (outcome !== undefined) return outcome
  const ran = [...reports.values()].some(
    ({ state, lastTermination }) => state.phase !== 'waiting' || lastTermination !== undefined,
  )
  return initialized && ran ? 'Running' : 'Pending'
}

function conditions({ pod, progress, previous, now }: PodStatusOptions): V1PodCondition[] {
  const containers = pod.spec?.containers ?? []
  const unready = containers.map(({ name }) => name).filter((name) => progress.reports.get(name)?.ready !== true)
  const gates = (pod.spec?.readinessGates ?? []).map(({ conditionType }) => conditionType)
  const closed = gates.filter((gate) => find(pod.status, gate)?.status !== 'True')
  const notReady =
    unready.length > 0
      ? { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
      : { reason: 'ReadinessGatesNotReady', message: `conditions not true: [${closed.join(' ')}]` }

  const condition = (type: string, holds: boolean, otherwise: object = {}): V1PodCondition => {
    const status = holds ? 'True' : 'False'
    const known = find(previous, type)
    const since = known?.status === status ? known.lastTransitionTime : undefined
    return { type, status, lastTransitionTime: since ?? now, ...(holds ? {} : otherwise) }
  }
  return [
    condition('PodReadyToStartContainers', progress.facts !== undefined),
    condition('Initialized', progress.initialized, { reason: 'ContainersNotInitialized' }),
    condition('ContainersReady', unready.length === 0, notReady),
    condition('Ready', unready.length === 0 && closed.length === 0, notReady),
  ]
}

function find(status: V1PodStatus | undefined, type: string): V1PodCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

function containerStatus({ name, image = '' }: V1Container, { reports, problem }: PodProgress): V1ContainerStatus {
  const report = reports.get(name) ?? untouched
  const { state, lastTermination, restarts, started, ready } = report
  const pid = pidOf(report)
  return {
    name,
    image,
    imageID: image,
    ready,
    started,
    restartCount: restarts,
    // A test that wants to freeze or kill a container finds its process here.
    ...(pid === undefined ? {} : { containerID: `process://${pid}` }),
    state: report === untouched && problem !== undefined ? { waiting: problem } : containerState(state),
    lastState: lastTermination === undefined ? {} : { terminated: terminated(lastTermination) },
  }
}

function containerState(state: ContainerReport['state']): V1ContainerState {
  switch (state.phase) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } }
    case 'running':
      return { running: { startedAt: state.since } }
    case 'terminated':
      return { terminated: terminated(state.termination) }
  }
}

function terminated({ exitCode, reason, pid, startedAt, finishedAt }: Termination) {
  return { exitCode, reason, startedAt, finishedAt, containerID: `process://${pid}` }
}

function pidOf({ state, lastTermination }: ContainerReport): number | undefined {
  if (state.phase === 'running') return state.pid
  return state.phase === 'terminated' ? state.termination.pid : lastTermination?.pid
}
