import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'

import type { Credentials } from './credentials.ts'
import { eventually } from './eventually.ts'
import type { Launched, Launcher } from './launcher.ts'

export interface ApiServerOptions {
  readonly binary: string
  readonly etcdUrl: string
  readonly address: string
  readonly port: number
  readonly credentials: Credentials
  /** Admission plug-ins to switch off. */
  readonly withoutAdmission: readonly string[]
  /** A user whose every request is to be found in `auditFile`. */
  readonly auditedUser: string | undefined
}

const serviceRange = '10.96.0.0/24'

/** The address of the service `kubernetes`: the first of the services' range. */
export const apiServerService = '10.96.0.1'

/** A name that the API server's certificate carries whatever address it listens on. */
export const apiServerName = 'kubernetes.default.svc'

// It starts in three seconds on an idle machine; several other programs may be busy.
const startTimeout = 60_000

/** The certificates that verify the API server, which makes its own on the first start and keeps them over restarts. */
export function authorityFile(launcher: Launcher): string {
  return join(launcher.folder, 'api-server', 'apiserver.crt')
}

/** Starts an API server. Does not wait for it: see `awaitApiServer`. */
export function launchApiServer(launcher: Launcher, options: ApiServerOptions): Launched {
  const { credentials } = options
  return launcher.launch({
    name: 'kube-apiserver',
    command: options.binary,
    // It collects garbage half as often, for a quarter of a gigabyte: a fifth less of the processors' time.
    env: { ...process.env, GOGC: '200' },
    args: [
      `--etcd-servers=${options.etcdUrl}`,
      `--cert-dir=${join(launcher.folder, 'api-server')}`,
      `--bind-address=${options.address}`,
      `--advertise-address=${options.address}`,
      `--secure-port=${options.port}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${credentials.serviceAccountPublicKey}`,
      `--service-account-signing-key-file=${credentials.serviceAccountKey}`,
      `--token-auth-file=${credentials.tokenFile}`,
      '--authorization-mode=RBAC',
      `--service-cluster-ip-range=${serviceRange}`,
      '--allow-privileged',
      // Webhooks named by service are called at the service's endpoints: there is no kube-proxy.
      '--enable-aggregator-routing=true',
      ...(options.address.startsWith('127.') ? ['--endpoint-reconciler-type=none'] : []),
      `--disable-admission-plugins=${options.withoutAdmission.join(',')}`,
      ...(options.auditedUser === undefined ? [] : auditFlags(launcher, options.auditedUser)),
    ],
  })
}

/** What the API server writes about the requests of one user: a line of JSON each (`audit.k8s.io/v1`, `Event`). */
export function auditFile(folder: string): string {
  return join(folder, 'audit.log')
}

function auditFlags({ folder }: Launcher, user: string): readonly string[] {
  const policyFile = join(folder, 'audit-policy.json')
  const rules = [{ level: 'Metadata', users: [user], omitStages: ['RequestReceived'] }, { level: 'None' }]
  writeFileSync(policyFile, JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules }))
  return [`--audit-policy-file=${policyFile}`, `--audit-log-path=${auditFile(folder)}`, '--audit-log-mode=blocking']
}

export interface AwaitApiServerOptions {
  readonly launcher: Launcher
  readonly process: Launched
  /** Leads to it on this machine's loopback address. */
  readonly port: number
  readonly adminToken: string
}

/** Waits until the API server answers `/readyz` with 200. Rejects with the end of its log when it dies instead. */
export async function awaitApiServer({ launcher, process, port, adminToken }: AwaitApiServerOptions): Promise<void> {
  const authority = authorityFile(launcher)
  const aborted = new AbortController()
  void process.exited.then(({ code, signal }) => {
    aborted.abort(new Error(`kube-apiserver ended (${code ?? signal}) while starting:\n${process.logTail()}`))
  })
  await eventually({ what: 'a ready API server', within: startTimeout, signal: aborted.signal }, async () => {
    if (!existsSync(authority)) return undefined
    const status = await readyStatus({ port, ca: readFileSync(authority), token: adminToken })
    return status === 200 ? true : undefined
  })
}

interface ReadyRequest {
  readonly port: number
  readonly ca: Buffer
  readonly token: string
}

function readyStatus({ port, ca, token }: ReadyRequest): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/readyz',
      ca,
      servername: apiServerName,
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    }
    const outgoing = request(options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    outgoing.setTimeout(5_000, () => outgoing.destroy(new Error('no answer within 5 s')))
    outgoing.on('error', reject).end()
  })
}
