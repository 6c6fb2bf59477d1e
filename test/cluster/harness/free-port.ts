import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range from which systems take the ports of outgoing connections and of listeners on port 0 (32768 and up on
// Linux, 49152 on macOS), so that nobody else is given a port between our look and the program's bind.
const firstPort = 20_000
const endPort = 32_000

/** A TCP port that is free on the loopback address right now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(firstPort, endPort)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
