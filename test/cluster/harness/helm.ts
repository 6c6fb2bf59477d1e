import { execFile } from 'node:child_process'
import { join } from 'node:path'

import { provideBinary } from '../../../tools/cluster/binaries.ts'
import { defaultVersions } from '../../../tools/cluster/programs.ts'
import type { ClusterAccess } from './cluster-access.ts'

export interface HelmResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export type Helm = (args: readonly string[]) => Promise<HelmResult>

/** The chart of this repository. */
export const chartFolder: string = join(import.meta.dirname, '../../../charts/meshward')

export interface HelmOptions {
  /** None: a Helm that only renders. */
  readonly cluster?: Pick<ClusterAccess, 'kubeconfig'>
  /** Where it keeps its caches. */
  readonly home: string
  /** Major version. */
  readonly major?: string
}

/** Helm, built from Go modules: resolves with what it printed, whatever its exit code. */
export async function createHelm({ cluster, home, major = defaultVersions.helm }: HelmOptions): Promise<Helm> {
  const binary = await provideBinary('helm', { versions: { ...defaultVersions, helm: major } })
  const env = { ...process.env, HOME: home, KUBECONFIG: cluster?.kubeconfig ?? '' }
  return (args) =>
    new Promise((resolve) => {
      execFile(binary, args, { env, timeout: 120_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
      )
    })
}

/** Runs Helm and resolves with its output. Rejects with what it said when it failed. */
export async function helmOutput(helm: Helm, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await helm(args)
  if (code !== 0) throw new Error(`helm ${args.join(' ')} failed (${code}): ${stderr}`)
  return stdout
}
