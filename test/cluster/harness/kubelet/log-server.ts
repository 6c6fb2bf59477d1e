import { openSync, readSync, closeSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'

import { makeCertificate } from '../../../../src/webhook/self-made-certificate.ts'
import type { KeptPods } from './keep-pods.ts'

export interface LogServerOptions {
  readonly address: string
  readonly port: number
  readonly logs: KeptPods['logs']
}

/** Serves what `kubectl logs` asks for, with `--tail`, `--previous` and `--follow`. */
export async function startLogServer({ address, port, logs }: LogServerOptions): Promise<Server> {
  const { source } = await makeCertificate({ names: [address], problem: () => {} })
  const { cert, key } = source.current()
  const server = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://node')
    const [, kind, namespace = '', pod = '', container = ''] = url.pathname.split('/')
    const found = kind === 'containerLogs' ? logs(namespace, pod, container) : undefined
    const file = found?.files.at(url.searchParams.get('previous') === 'true' ? -2 : -1)
    if (found === undefined || file === undefined) {
      response.writeHead(404).end(`no log of ${namespace}/${pod}/${container}\n`)
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain' })
    const tail = url.searchParams.get('tailLines')
    const written = writeTail(file, response, tail === null ? undefined : Number(tail))
    if (url.searchParams.get('follow') === 'true')
      void follow({ file, from: written, response, isRunning: found.isRunning })
    else response.end()
  })
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  return server
}

/** Writes the last lines of a file, or all of them. Returns how far the file was read, in bytes. */
function writeTail(file: string, response: ServerResponse, lines: number | undefined): number {
  const content = readFileSync(file)
  const text = content.toString()
  if (lines === undefined) response.write(text)
  else
    response.write(
      text
        .split(/(?<=\n)/)
        .slice(lines === 0 ? Infinity : -lines)
        .join(''),
    )
  return content.length
}

interface FollowOptions {
  readonly file: string
  readonly from: number
  readonly response: ServerResponse
  readonly isRunning: () => boolean
}

/** Writes what is added to a log until whoever writes it ends, or whoever reads it goes. */
async function follow({ file, from, response, isRunning }: FollowOptions): Promise<void> {
  const descriptor = openSync(file, 'r')
  const buffer = Buffer.alloc(64 * 1024)
  let position = from
  while (!response.closed) {
    const more = isRunning()
    const count = readSync(descriptor, buffer, 0, buffer.length, position)
    position += count
    if (count > 0) response.write(Buffer.from(buffer.subarray(0, count)))
    else if (more) await delay(100)
    else break
  }
  closeSync(descriptor)
  response.end()
}
