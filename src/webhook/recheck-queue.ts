import type { Logger } from 'pino'

import type { Finding } from '../engine/decision.ts'
import type { KindName } from '../mesh/kinds.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { dependsOnMesh, isPastRecheck, isSuperseded, recheck, type Admitted } from '../reports/recheck.ts'
import type { Source } from '../sources/source.ts'
import type { EventRecorder } from './cluster/event-recorder.ts'
import type { MeshInForce } from './mesh-in-force.ts'
import type { Metrics } from './metrics.ts'

interface RecheckOptions {
  readonly policies: Source<PolicySet>
  readonly mesh: Pick<MeshInForce, 'current' | 'knowledge' | 'status'>
  /** Milliseconds from an answer to the second look: time for the object to be stored and seen by the watch. */
  readonly delay: number
  /** What is found that was not found before; at least one. */
  readonly found: (admitted: Admitted, findings: readonly Finding[]) => void
  /** A request that is not wholly looked at again: too many wait, something else is there by now, or the mesh is too old for some rule. */
  readonly passedOver: () => void
}

/** Requests that are judged once more, a little after they were allowed. */
export interface RecheckQueue {
  admitted(admitted: Admitted): void
  stop(): void
}

/** Requests hold their objects while they wait; 1,000 of 16 KB are 16 MB. */
const MOST_WAITING = 1000

/** Looks at allowed requests once more, one after the other, when `delay` has passed. */
function createRecheckQueue(options: RecheckOptions): RecheckQueue {
  const { policies, mesh, delay, found, passedOver } = options
  const waiting: { readonly admitted: Admitted; readonly due: number }[] = []
  let timer: NodeJS.Timeout | undefined
  const next = (): void => {
    const first = waiting[0]
    timer = first === undefined ? undefined : setTimeout(look, Math.max(0, first.due - performance.now())).unref()
  }
  const look = (): void => {
    const first = waiting.shift()
    if (first !== undefined) lookAt(first.admitted)
    next()
  }
  const isWatched = (kind: KindName): boolean =>
    mesh.status().some((status) => status.kind === kind && status.state === 'synced')
  const lookAt = (admitted: Admitted): void => {
    const around = { policies: policies.current(), mesh: mesh.current(), knowledge: mesh.knowledge() }
    if (isSuperseded(admitted, around.mesh, isWatched)) return passedOver()
    if (isPastRecheck(admitted.decision, around)) passedOver()
    const findings = recheck(admitted, around)
    if (findings.length > 0) found(admitted, findings)
  }
  return {
    admitted(admitted) {
      const { request, decision } = admitted
      if (request.dryRun || !decision.allowed || !dependsOnMesh(decision, policies.current())) return
      if (waiting.length >= MOST_WAITING) return passedOver()
      waiting.push({ admitted, due: performance.now() + delay })
      if (timer === undefined) next()
    },
    stop() {
      clearTimeout(timer)
      waiting.length = 0
    },
  }
}

export interface RecheckContext {
  readonly policies: Source<PolicySet>
  readonly mesh: MeshInForce
  /** Milliseconds; 0 = requests are never judged twice. */
  readonly delay: number
  readonly metrics: Pick<Metrics, 'rechecked' | 'recheckPassedOver'>
  readonly logger: Logger
  /** Undefined where no Events are wanted. */
  readonly events?: Pick<EventRecorder, 'rechecked'> | undefined
}

/** The second look at allowed requests, told by Event, log and metric. Without a cluster there is nothing to look at again. */
export function createRecheck({ policies, mesh, delay, metrics, logger, events }: RecheckContext): RecheckQueue {
  if (delay === 0 || mesh.knowledge() === 'partial') return { admitted: () => undefined, stop: () => undefined }
  return createRecheckQueue({
    policies,
    mesh,
    delay,
    found: ({ request, decision: { object, uid } }, findings) => {
      events?.rechecked(request, findings)
      const { kind, namespace, name } = object
      for (const { code, field, message, action } of findings) {
        metrics.rechecked(code)
        logger.warn({ uid, kind, namespace, name, code, field, action, reason: message }, 'allowed, and wrong by now')
      }
    },
    passedOver: () => metrics.recheckPassedOver(),
  })
}
