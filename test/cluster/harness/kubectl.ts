import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface KubectlOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface KubectlResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Kubectl = (args: readonly string[], options?: KubectlOptions) => Promise<KubectlResult>

export interface KubectlSetup {
  readonly binary: string
  readonly kubeconfig: string
  /** Stands in for the home directory, where kubectl keeps its caches. */
  readonly home: string
}

/** kubectl for one cluster: resolves with what it printed, whatever its exit code. */
export function createKubectl({ binary, kubeconfig, home }: KubectlSetup): Kubectl {
  return async (args, { stdin, env } = {}) => {
    const child = spawn(binary, args, {
      env: { ...process.env, ...env, KUBECONFIG: kubeconfig, HOME: home },
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    // kubectl may refuse its arguments before it has read its input.
    child.stdin.on('error', () => {})
    child.stdin.end(stdin)
    const exited = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve))
    const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
    return { code, stdout, stderr }
  }
}

/** Runs kubectl and resolves with its output. Rejects with what it said when it failed. */
export async function kubectlOutput(
  kubectl: Kubectl,
  args: readonly string[],
  options?: KubectlOptions,
): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, options)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed (${code}): ${stderr}`)
  return stdout
}
