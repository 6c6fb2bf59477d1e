/** What is known of a container: everything that its pod's status tells about it. */
export interface ContainerReport {
  readonly state: ContainerState
  readonly lastTermination: Termination | undefined
  readonly restarts: number
  /** Past its startup probe. */
  readonly started: boolean
  readonly ready: boolean
}

export type ContainerState =
  | { readonly phase: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly phase: 'running'; readonly pid: number; readonly since: Date }
  | { readonly phase: 'terminated'; readonly termination: Termination }

export interface Termination {
  readonly exitCode: number
  readonly reason: 'Completed' | 'Error'
  readonly pid: number
  readonly startedAt: Date
  readonly finishedAt: Date
}

export const untouched: ContainerReport = {
  state: { phase: 'waiting', reason: 'PodInitializing' },
  lastTermination: undefined,
  restarts: 0,
  started: false,
  ready: false,
}
