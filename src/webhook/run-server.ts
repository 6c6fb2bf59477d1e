import { isIPv6, type AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from 'pino'

import type { MeshKnowledge } from '../engine/mesh-knowledge.ts'
import { createPolicyCompiler } from '../policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../policy/mesh-functions/all.ts'
import { issueLine } from '../policy/policy.ts'
import type { PolicySet } from '../policy/policy-set.ts'
import { openPolicySource } from '../sources/policy-source.ts'
import { profilesIn } from '../sources/profiles.ts'
import { lateSource, type LateSource } from '../sources/source.ts'
import { createGate } from './admission-gate.ts'
import { createAdmissionHandler } from './admission-handler.ts'
import { createApp, createMetricsApp, createShortcut } from './app.ts'
import type { CertificateSource } from './certificate.ts'
import { clusterOptionsProblem } from './cluster/check-cluster-options.ts'
import type { Membership } from './cluster/join-cluster.ts'
import { openCluster } from './cluster/open-cluster.ts'
import { createDryRunAccess } from './dry-run-access.ts'
import { createDryRun } from './dry-run.ts'
import { createDryRunPage } from './dry-run-page.ts'
import { readiness, syncedCheck } from './health.ts'
import { startHttpsServer, type RunningServer } from './https-server.ts'
import { readKnownKinds } from './known-kinds.ts'
import { createLifecycle, drainingCheck } from './lifecycle.ts'
import { openMesh, type MeshInForce } from './mesh-in-force.ts'
import { startMetricsServer } from './metrics-server.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { openCertificates } from './open-certificates.ts'
import { policyListener } from './policy-listener.ts'
import { createRateLimit } from './rate-limit.ts'
import { MEBIBYTE } from './read-body.ts'
import { createRecheck } from './recheck-queue.ts'
import type { ServeOptions } from './serve-options.ts'
import type { Tracing } from './tracing.ts'

/** Milliseconds between two looks at files that are followed. A look costs two reads of small files. */
const LOOK = 1000

/** Bodies of nine of the largest reviews; what is beyond waits in the senders' memory and not in ours. */
const MOST_BYTES_IN_FLIGHT = 64 * MEBIBYTE

/** Of one caller. A pipeline that checks a release is one request; a person types. */
const DRY_RUNS = { burst: 20, perSecond: 2, keys: 1000 }

/** What a process lends to the server that runs in it. */
export interface ServerHost {
  readonly version: string
  /** The folder of the policies that come with the program. */
  readonly shippedPolicies: string
  /** The file of the page at `/`. */
  readonly dryRunPage: string
  readonly logger: Logger
  /** Prints a line that is an answer. */
  readonly print: (line: string) => void
  /** Prints a line about what went wrong. */
  readonly complain: (line: string) => void
  /** Hands over what is to be called when the process is asked to end. */
  readonly onStop: (stop: (signal: 'SIGINT' | 'SIGTERM') => void) => void
}

/**
 * Serves until the process is asked to end. Returns the exit code: 0 after an orderly end, 2 where it could not run,
 * with a sentence for each reason. Prints its address on one line when the first answer will already be right.
 */
export async function runServer(options: ServeOptions, host: ServerHost): Promise<0 | 2> {
  const fail = (...reasons: readonly string[]): 2 => {
    for (const reason of reasons) host.complain(reason)
    return 2
  }
  const problem = clusterOptionsProblem(options)
  if (problem !== undefined) return fail(problem)
  const opened = await openCertificates(options, host.logger)
  if (!opened.ok) return fail(opened.reason)
  const policies = lateSource<PolicySet>()
  const cluster = await openCluster(options, { policies, logger: host.logger, ...opened })
  if (!cluster.ok) return fail(cluster.reason)
  const { connection, membership } = cluster
  const certificates = membership?.certificates ?? opened.certificates
  const mesh = openMesh(connection, options, host.logger)
  const tracing = await openTracing(options, host)
  const server = await listen(options, host, { certificates, policies, mesh, membership, tracing })
  if (!server.ok) return fail(server.reason)
  const giveUp = async (...reasons: readonly string[]): Promise<2> => {
    await server.running.drain(0)
    server.stop()
    return fail(...reasons)
  }
  const kinds = await readKnownKinds(options, { ...host, connection })
  if (!kinds.ok) return giveUp(...kinds.reasons)
  const outcome = await openPolicySource({
    shipped: host.shippedPolicies,
    policies: options.policies,
    bindings: options.bindings,
    profiles: options.profile,
    profileFiles: options.profileFile === undefined ? [] : [options.profileFile],
    shippedProfiles: profilesIn(host.shippedPolicies),
    disabled: options.disable,
    disabledFiles: options.disabledFile === undefined ? [] : [options.disabledFile],
    enforcement: options.enforcement,
    enforcementFile: options.enforcementFile,
    strictTypes: options.strictTypes,
    interval: LOOK,
    compiler: createPolicyCompiler(MESH_FUNCTIONS, kinds.schemas),
    prepare: (set) => mesh.prepare(set),
    listener: policyListener({ logger: host.logger, mesh, metrics: server.metrics, events: membership?.events }),
  })
  if (!outcome.ok) return giveUp(...outcome.issues.map(issueLine))
  policies.follow(outcome.source)
  // Whoever reads the line may ask for the end at once.
  const stopped = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => host.onStop(resolve))
  membership?.start(server.running.address.port, server.ready)
  const ready = await Promise.race([until(server.ready), stopped])
  if (ready === undefined) host.print(`Meshward ${host.version} is ready on ${urlOf(server.running.address)}`)
  const signal = await stopped
  host.logger.info({ signal }, 'shutting down')
  // A person at a terminal has no load balancer to wait for.
  const drained = server.running.drain(signal === 'SIGTERM' ? options.shutdownDelay : 0)
  await Promise.all([drained, membership?.stop()])
  outcome.source.stop()
  mesh.stop()
  server.stop()
  await tracing?.stop()
  return 0
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20, undefined, { ref: false })
}

/** Its libraries take 150 ms to load, which a server that traces nothing need not spend. */
async function openTracing(
  { otelEndpoint: endpoint, podName }: ServeOptions,
  { version, logger }: ServerHost,
): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined
  const { createTracing } = await import('./tracing.ts')
  const problem = (reason: string): void => logger.warn({ reason }, 'traces not sent')
  return createTracing({ endpoint, version, instance: podName ?? hostname(), problem })
}

type Opened<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly reason: string }

async function listen(
  options: ServeOptions,
  host: ServerHost,
  { certificates, policies, mesh, membership, tracing }: Parts,
): Promise<Opened<Listening>> {
  const { logger, version } = host
  const gate = createGate({ requests: options.maxInFlight, bytes: MOST_BYTES_IN_FLIGHT })
  const lifecycle = createLifecycle()
  const knowledge = (): MeshKnowledge => mesh.knowledge()
  let address = options.host
  const metrics = createMetrics({
    version,
    gate,
    policies,
    mesh,
    cluster: membership,
    certificateExpiry: () => certificates.current().expires,
  })
  const events = membership?.events
  const rechecks = createRecheck({ policies, mesh, delay: options.recheckAfter, metrics, logger, events })
  const admission = createAdmissionHandler({
    policies,
    mesh,
    knowledge,
    gate,
    metrics,
    logger,
    rechecks,
    events,
    tracing,
  })
  const checks = [
    syncedCheck('policies', policies),
    { name: 'mesh', reason: () => mesh.unsynced() },
    ...(membership?.checks ?? []),
    drainingCheck(lifecycle),
  ]
  const access = createDryRunAccess({
    listensOn: () => address,
    authority: membership?.authority,
    limit: createRateLimit({ ...DRY_RUNS, monotonic: () => performance.now() }),
  })
  const app = createApp({
    admission,
    dryRun: createDryRun({ policies, mesh, knowledge, access }),
    dryRunPage: createDryRunPage(host.dryRunPage),
    debug: options.debug === true ? (await import('./debug.ts')).createDebug() : undefined,
    listensOn: () => address,
    checks,
    metrics,
    logger,
  })
  const shortcut = createShortcut(admission)
  try {
    const running = await startHttpsServer({
      host: options.host,
      port: options.port,
      certificates,
      lifecycle,
      listener: (request, response) => {
        if (!shortcut(request, response)) app(request, response)
      },
    })
    address = running.address.address
    const scrapes = await openMetricsPort(options, { metrics, logger })
    if (!scrapes.ok) {
      await running.drain(0)
      return scrapes
    }
    const stop = (): void => {
      rechecks.stop()
      scrapes.stop()
    }
    return { ok: true, running, metrics, ready: () => readiness(checks).ready, stop }
  } catch (error) {
    return { ok: false, reason: cannotListen(options.host, options.port, error) }
  }
}

/** The listener for scrapes over plain HTTP, where one is asked for. */
async function openMetricsPort(
  { host, metricsPort: port }: ServeOptions,
  { metrics, logger }: { readonly metrics: Metrics; readonly logger: Logger },
): Promise<Opened<{ readonly stop: () => void }>> {
  if (port === undefined) return { ok: true, stop: () => undefined }
  try {
    const { address, stop } = await startMetricsServer({ host, port }, createMetricsApp({ metrics, logger }))
    logger.info({ address: address.address, port: address.port }, 'metrics over plain HTTP')
    return { ok: true, stop }
  } catch (error) {
    return { ok: false, reason: cannotListen(host, port, error) }
  }
}

/** What a server is made of that is there before it listens. */
interface Parts {
  readonly certificates: CertificateSource
  readonly policies: LateSource<PolicySet>
  readonly mesh: MeshInForce
  readonly membership: Membership | undefined
  readonly tracing: Tracing | undefined
}

/** A server that listens. */
interface Listening {
  readonly running: RunningServer
  readonly metrics: Metrics
  readonly ready: () => boolean
  readonly stop: () => void
}

function urlOf({ address, port }: AddressInfo): string {
  return `https://${isIPv6(address) ? `[${address}]` : address}:${port}`
}

function cannotListen(host: string, port: number, error: unknown): string {
  return `cannot listen on ${host} port ${port}: ${reasonOf(error)}`
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
