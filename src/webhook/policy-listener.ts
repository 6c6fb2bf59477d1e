import type { Logger } from 'pino'

import type { PolicyIssue } from '../policy/policy.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import type { PolicySourceListener } from '../sources/policy-source.ts'
import type { EventRecorder } from './cluster/event-recorder.ts'
import type { MeshInForce } from './mesh-in-force.ts'
import type { Metrics } from './metrics.ts'

/** Who is told of changed policies. */
export interface PolicyListenerOptions {
  readonly logger: Logger
  readonly mesh: MeshInForce
  readonly metrics: Metrics
  readonly events: EventRecorder | undefined
}

/** Tells logs, metrics, Events and the mesh around requests what becomes of policies. */
export function policyListener({ logger, mesh, metrics, events }: PolicyListenerOptions): PolicySourceListener {
  const logIssues = (issues: readonly PolicyIssue[], message: string): void => {
    for (const { code, file, line, column, message: reason } of issues)
      logger.error({ code, file, line, column, reason }, message)
  }
  let known: PolicySet['policies'] | undefined
  return {
    changed: (set, issues) => {
      mesh.follow(set)
      const { policies, enforcement } = set
      // Another mode leaves them as they were, and so what was refused.
      if (policies !== known) metrics.policiesChanged()
      known = policies
      logger.info({ policies: policies.length, enforcement }, 'policies in force')
      if (issues.length > 0) events?.policies('broken', issues)
      logIssues(issues, 'policy does not compile and answers by its failure policy')
      for (const { code, file, line, column, message } of policies.flatMap(({ warnings }) => warnings))
        logger.warn({ code, file, line, column, reason: message }, 'policy names what its kinds do not have')
    },
    idle: (reason) => logger.warn({ reason }, 'disabled policies are not there'),
    refused: (issues) => {
      metrics.policiesRefused()
      events?.policies('refused', issues)
      logIssues(issues, 'changed policies refused; the last good set stays in force')
    },
    unreadable: (reason) => {
      metrics.reloadFailed()
      logger.error({ reason }, 'watched file cannot be used')
    },
  }
}
