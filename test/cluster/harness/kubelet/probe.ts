import { execFile } from 'node:child_process'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'

import type { V1Container, V1ExecAction, V1HTTPGetAction, V1TCPSocketAction } from '@kubernetes/client-node'

/** What a probe or a lifecycle hook acts on. */
export interface ProbeTarget {
  readonly container: V1Container
  readonly podAddress: string
  /** Resolves when the command succeeds inside the container. */
  readonly exec: (command: readonly string[], timeout: number) => Promise<void>
}

/** The part that probes and lifecycle hooks have in common. */
export interface Action {
  readonly exec?: V1ExecAction
  readonly httpGet?: V1HTTPGetAction
  readonly tcpSocket?: V1TCPSocketAction
}

/** Performs an action once. Rejects, with what a person should read, when it fails or takes longer than `timeout` ms. */
export async function perform(action: Action, target: ProbeTarget, timeout: number): Promise<void> {
  const { exec, httpGet, tcpSocket } = action
  if (exec !== undefined) return target.exec(exec.command ?? [], timeout)
  if (httpGet !== undefined) return get(httpGet, target, timeout)
  if (tcpSocket !== undefined) return open(tcpSocket, target, timeout)
  throw new Error(`an action with ${Object.keys(action).join(', ')} is not supported`)
}

/** Runs a command with an environment; rejects with what it printed. */
export function runCommand(
  [command = '', ...args]: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly timeout: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...options, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(error.killed === true ? 'command timed out' : `command failed: ${stdout}${stderr}`))
    })
  })
}

function get(action: V1HTTPGetAction, target: ProbeTarget, timeout: number): Promise<void> {
  const secure = action.scheme === 'HTTPS'
  const options = {
    host: action.host ?? target.podAddress,
    port: portNumber(action.port, target.container),
    path: action.path ?? '/',
    headers: Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value])),
    agent: false,
    // As the kubelet does: a probe asks whether somebody answers, not who.
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(timeout),
  } as const
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)(options, (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      if (status >= 200 && status < 400) resolve()
      else reject(new Error(`HTTP probe failed with statuscode: ${status}`))
    })
    outgoing.on('error', reject).end()
  })
}

function open(action: V1TCPSocketAction, target: ProbeTarget, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: action.host ?? target.podAddress,
      port: portNumber(action.port, target.container),
      timeout,
    })
    const end = (error?: Error): void => {
      socket.destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    socket.once('connect', () => end())
    socket.once('timeout', () => end(new Error(`no connection within ${timeout} ms`)))
    socket.once('error', end)
  })
}

function portNumber(port: number | string, { ports = [] }: V1Container): number {
  if (typeof port === 'number') return port
  const named = ports.find(({ name }) => name === port)
  const number = named?.containerPort ?? Number(port)
  if (Number.isNaN(number)) throw new Error(`no port is called ${port}`)
  return number
}
