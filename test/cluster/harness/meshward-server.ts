import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { eventually } from './eventually.ts'
import { createLauncher, type Exit, type Launched } from './launcher.ts'

/** Meshward as `npm start` runs it, in a process of its own. */
export interface MeshwardServer {
  readonly url: string
  /** PEM of the authority that its certificate is verified against. */
  readonly ca: string
  readonly process: Launched
  /** SIGTERM, and the exit code that follows; SIGKILL when that takes longer than a drain may. */
  readonly stop: () => Promise<Exit>
}

const main = join(import.meta.dirname, '../../../src/main.ts')

const startTimeout = 30_000
const stopTimeout = 30_000

/**
 * Starts Meshward from source on a free loopback port with a certificate it makes itself, and waits until it is ready.
 * Rejects with the end of its log when it ends instead. `args` are those of `npm start`.
 */
export async function startMeshward(args: readonly string[] = []): Promise<MeshwardServer> {
  const launcher = createLauncher()
  const caFile = join(launcher.folder, 'ca.pem')
  const server = launcher.launch({
    name: 'meshward',
    command: process.execPath,
    args: [main, '--port', '0', '--write-ca', caFile, '--shutdown-delay', '0s', ...args],
  })
  const died = new AbortController()
  void server.exited.then(({ code, signal }) =>
    died.abort(new Error(`Meshward ended (${code ?? signal}) while starting:\n${server.logTail()}`)),
  )
  try {
    const url = await eventually(
      { what: 'a ready Meshward', within: startTimeout, signal: died.signal },
      () => /is ready on (https:\S+)/.exec(server.logTail(Infinity))?.[1],
    )
    const stop = async (): Promise<Exit> => {
      server.signal('SIGTERM')
      const timer = setTimeout(() => server.signal('SIGKILL'), stopTimeout)
      const exit = await server.exited
      clearTimeout(timer)
      await launcher.close()
      return exit
    }
    return { url, ca: readFileSync(caFile, 'utf8'), process: server, stop }
  } catch (error) {
    await launcher.close()
    throw error
  }
}
