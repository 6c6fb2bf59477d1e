import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Logger } from 'pino'

import type { PolicySet } from '../../policy/policy-set.ts'
import type { ClusterConnection } from '../../sources/cluster/connect-cluster.ts'
import type { Source } from '../../sources/source.ts'
import type { CertificateSource } from '../certificate.ts'
import type { Authority } from '../dry-run-access.ts'
import type { ReadinessCheck } from '../health.ts'
import type { ServeOptions } from '../serve-options.ts'
import { may, whoIs } from './api-access.ts'
import { createCertificateDuty, type CertificateDuty } from './certificate-duty.ts'
import { createChangingCertificate } from './changing-certificate.ts'
import { startControlLoop, type Duty } from './control-loop.ts'
import { createEventRecorder, type EventRecorder } from './event-recorder.ts'
import type { Owner } from './kept-objects.ts'
import { joinElection, type Election } from './lease.ts'
import { serverAddress, type ServerAddress } from './server-address.ts'
import { createWebhookDuty, type WebhookDuty, type WebhookStates } from './webhook-duty.ts'

/** Milliseconds between two rounds: client-go's pause between two tries for a lease. */
const ROUND = 2000

export interface JoinOptions {
  readonly options: ServeOptions
  readonly connection: ClusterConnection
  readonly policies: Source<PolicySet>
  readonly logger: Logger
  /** What is served until the Secret is read, or always where there is none; and the authority of it, if known. */
  readonly certificates: CertificateSource
  readonly ca: string | undefined
}

/** The part that a server has in its cluster. */
export interface Membership {
  readonly certificates: CertificateSource
  readonly authority: Authority
  /** Undefined where none are wanted. */
  readonly events: EventRecorder | undefined
  readonly checks: readonly ReadinessCheck[]
  readonly isLeader: () => boolean
  readonly webhooks: () => WebhookStates | undefined
  readonly authorityEnd: () => number | undefined
  /** Begins, once the server listens. `ready`: it could answer. */
  start(port: number, ready: () => boolean): void
  /** Ends, and leaves the lead to another. */
  stop(): Promise<void>
}

/** Makes a server a part of a cluster. Talks to nobody before `start`. Rejects where a file of options is no good. */
export async function joinCluster(joining: JoinOptions): Promise<Membership> {
  const { options, connection, logger } = joining
  const namespace = options.namespace ?? connection.namespace
  const owner: Owner = { api: connection.api, name: options.webhookName }
  let port = options.port
  const address = serverAddress(options, { api: connection.api, namespace, port: () => port })
  const election = electionOf(options, owner, namespace)
  const certificates = certificateDuty(joining, owner, namespace, address)
  const webhooks = await webhookDuty(joining, owner, namespace, address, certificates?.duty)
  let end = async (): Promise<void> => undefined
  let led = false

  const lease = async (): Promise<void> => {
    await election.round()
    if (led !== election.isLeader()) logger.info({ leader: !led }, led ? 'no longer the leader' : 'now the leader')
    led = election.isLeader()
  }
  const leading = (run: () => Promise<void>) => async (): Promise<void> => {
    if (election.isLeader()) await run()
  }

  return {
    certificates: certificates?.source ?? joining.certificates,
    authority: {
      whoIs: (token) => whoIs(connection.api, token),
      may: (caller, deed) => may(connection.api, caller, deed),
    },
    events: eventRecorder(joining, namespace),
    checks: certificates === undefined ? [] : [certificates.duty.check],
    isLeader: () => election.isLeader(),
    webhooks: () => (election.isLeader() ? webhooks?.state() : undefined),
    authorityEnd: () => certificates?.duty.authorityEnd(),
    start: (listening, ready) => {
      port = listening
      const duties: Duty[] = [{ name: 'lease', run: lease }]
      if (certificates !== undefined)
        duties.push(
          { name: 'certificate', run: certificates.duty.follow },
          { name: 'rotation', run: leading(certificates.duty.lead) },
        )
      if (webhooks !== undefined)
        duties.push(
          { name: 'webhook settings', run: webhooks.follow },
          { name: 'webhook configurations', run: leading(async () => (ready() ? webhooks.lead() : undefined)) },
        )
      const trouble = (duty: string, reason: string): void => {
        if (reason === '') logger.info({ duty }, 'duty in the cluster can be done again')
        else logger.error({ duty, reason }, 'duty in the cluster cannot be done; it is tried again')
      }
      end = startControlLoop({ duties, interval: ROUND, trouble })
    },
    stop: async () => {
      await end()
      await election.resign().catch((error: unknown) => logger.warn({ reason: String(error) }, 'lease not given back'))
    },
  }
}

/** Who is alone leads. */
const ALONE: Election = { isLeader: () => true, round: async () => undefined, resign: async () => undefined }

function electionOf({ lease, podName }: ServeOptions, owner: Owner, namespace: string): Election {
  if (lease === undefined) return ALONE
  const identity = podName ?? `${hostname()}-${process.pid}`
  return joinElection({
    owner,
    namespace,
    name: lease,
    identity,
    monotonic: () => performance.now(),
    now: Date.now,
  })
}

function eventRecorder({ options, connection, logger }: JoinOptions, namespace: string): EventRecorder | undefined {
  if (options.events !== true) return undefined
  return createEventRecorder({
    api: connection.api,
    namespace,
    podName: options.podName ?? hostname(),
    now: Date.now,
    monotonic: () => performance.now(),
    problem: (reason) => logger.warn({ reason }, 'event not written'),
  })
}

function certificateDuty(
  { options, certificates, logger }: JoinOptions,
  owner: Owner,
  namespace: string,
  address: ServerAddress | undefined,
): { readonly source: CertificateSource; readonly duty: CertificateDuty } | undefined {
  if (options.tlsSecret === undefined || address === undefined) return undefined
  const source = createChangingCertificate(certificates.current())
  const duty = createCertificateDuty({
    ...options,
    owner,
    namespace,
    name: options.tlsSecret,
    names: address.names,
    served: source,
    endpoints: address.endpoints,
    stepped: (step) => logger.info({ step }, 'certificates in the Secret rotated'),
  })
  return { source, duty }
}

async function webhookDuty(
  { options, policies, logger, ca }: JoinOptions,
  owner: Owner,
  namespace: string,
  address: ServerAddress | undefined,
  certificates: CertificateDuty | undefined,
): Promise<WebhookDuty | undefined> {
  if (address === undefined) return undefined
  const { caFile } = options
  return createWebhookDuty({
    owner,
    namespace,
    istioNamespace: options.istioNamespace,
    timeoutSeconds: options.webhookTimeout,
    settingsFile: options.webhookConfig,
    policies,
    address: address.clientConfig,
    endpoints: address.endpoints,
    caBundle: async () => {
      if (certificates !== undefined) return certificates.caBundle()
      return caFile === undefined ? (ca ?? '') : readFile(caFile, 'utf8')
    },
    changed: (configuration, state) => logger.info({ configuration, state }, 'webhook configuration'),
  })
}
