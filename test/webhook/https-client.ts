import { connect, type TLSSocket } from 'node:tls'

/** A connection on which a test writes HTTP by hand, to see bytes that a client library would hide. */
export interface RawConnection {
  readonly socket: TLSSocket
  write(text: string): void
  /** The next complete answer; rejects when the connection ends before. */
  answer(): Promise<RawAnswer>
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export async function openConnection(port: number, ca: string): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ALPNProtocols: ['h2', 'http/1.1'] })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  let received = ''
  let wake = (): void => undefined
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    wake()
  })
  let isOver = false
  const ended = new Promise<void>((resolve) =>
    socket.once('close', () => {
      isOver = true
      wake()
      resolve()
    }),
  )
  socket.on('error', () => undefined)
  return {
    socket,
    write: (text) => void socket.write(text),
    ended,
    async answer() {
      for (;;) {
        const parsed = parseAnswer(received)
        if (parsed !== undefined) {
          received = received.slice(parsed.length)
          return parsed.answer
        }
        if (isOver) throw new Error(`the connection ended after ${JSON.stringify(received)}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** An HTTP/1.1 request as text. */
export function rawPost(path: string, body: string, headers: Readonly<Record<string, string | number>> = {}): string {
  const all = { Host: 'localhost', 'Content-Type': 'application/json', 'Content-Length': body.length, ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

function parseAnswer(text: string): { readonly answer: RawAnswer; readonly length: number } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const length = end + 4 + Number(headers['content-length'] ?? 0)
  if (text.length < length) return undefined
  return { answer: { status: Number(first.split(' ')[1]), headers, body: text.slice(end + 4, length) }, length }
}
