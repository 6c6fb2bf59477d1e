import { connect, type TLSSocket } from 'node:tls'

export interface LoadOptions {
  readonly port: number
  readonly path: string
  readonly body: Buffer
  readonly connections: number
  readonly milliseconds: number
}

export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds of each request, ascending. */
  readonly latencies: Float64Array
}

/**
 * Posts one body again and again over some keep-alive connections, each sending its next request when it has its
 * answer. Speaks HTTP by hand, so that the client takes less time than the fastest server under test.
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: options.connections }, () => open(options.port)))
  const message = requestOf(options)
  const latencies: number[] = []
  const started = performance.now()
  const until = started + options.milliseconds
  await Promise.all(sockets.map((socket) => keepPosting(socket, message, until, latencies)))
  const seconds = (performance.now() - started) / 1000
  for (const socket of sockets) socket.destroy()
  return { requests: latencies.length, seconds, latencies: Float64Array.from(latencies).sort() }
}

/** The value below which a share of the sorted numbers lies. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function open(port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // The servers make their certificates themselves, a moment ago.
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    socket
      .setNoDelay(true)
      .once('secureConnect', () => resolve(socket))
      .once('error', reject)
  })
}

function requestOf({ path, body, port }: LoadOptions): Buffer {
  const head = [
    `POST ${path}?timeout=3s HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'User-Agent: kube-apiserver-admission',
    'Accept: application/json, */*',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Accept-Encoding: gzip',
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

function keepPosting(socket: TLSSocket, message: Buffer, until: number, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let missing = -1
    const post = (): void => {
      sent = performance.now()
      missing = -1
      socket.write(message)
    }
    socket.on('data', (chunk: Buffer) => {
      missing = missing < 0 ? restOf(chunk) : missing - chunk.length
      if (missing > 0) return
      const now = performance.now()
      latencies.push(now - sent)
      if (now < until) post()
      else resolve()
    })
    socket.once('close', () => reject(new Error('the server closed a connection under load')))
    post()
  })
}

/** Bytes of the answer that are still to come after its first chunk, which holds all headers. */
function restOf(chunk: Buffer): number {
  const head = chunk.toString('latin1', 0, 1024)
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${chunk.toString('utf8')}`)
  const end = head.indexOf('\r\n\r\n') + 4
  const length = /content-length: (\d+)/i.exec(head)
  if (end < 4 || length === null) throw new Error(`no answer of known length: ${head}`)
  return end + Number(length[1]) - chunk.length
}
