import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { withFileLock } from './file-lock.ts'
import { goBuild } from './go-build.ts'
import { defaultVersions, sourceOf, type Program, type ProgramVersions } from './programs.ts'

export interface BinaryOptions {
  readonly versions?: ProgramVersions
  /** Receives progress; standard error unless told otherwise. */
  readonly say?: (line: string) => void
}

/** The folder outside the tree that keeps what is built or located once. */
export const cacheFolder: string = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'meshward')

/** What a folder named by KUBEBUILDER_ASSETS holds by convention. */
const assetPrograms: readonly Program[] = ['etcd', 'kube-apiserver', 'kubectl']

/** Why a test cluster is impossible on this machine, as a sentence; nothing when it is possible. */
export function whyNoBinaries(): string | undefined {
  if (assetFolder() !== undefined || hasGo()) return undefined
  return 'a test cluster needs Go, or KUBEBUILDER_ASSETS naming a folder with etcd, kube-apiserver and kubectl'
}

/**
 * The path of a program that is ready to run: that of KUBEBUILDER_ASSETS if it is set and the default version is asked
 * for, else built from Go modules once and kept in `cacheFolder`.
 */
export async function provideBinary(program: Program, options: BinaryOptions = {}): Promise<string> {
  const { versions = defaultVersions, say = sayOnStandardError } = options
  const assets = assetFolder()
  if (assets !== undefined && assetPrograms.includes(program) && versions.kubernetes === defaultVersions.kubernetes) {
    return join(assets, program)
  }
  const source = sourceOf(program, versions)
  const path = join(cacheFolder, source.key, program)
  if (existsSync(path)) return path
  const onWait = (holder: number) => say(`process ${holder} is building ${source.key}; waiting for it`)
  await withFileLock({ path: join(cacheFolder, `${source.key}.lock`), onWait }, async () => {
    if (!existsSync(path)) await goBuild({ source, path, say })
  })
  return path
}

function assetFolder(): string | undefined {
  const folder = process.env['KUBEBUILDER_ASSETS']
  if (folder === undefined || folder === '') return undefined
  const missing = assetPrograms.find((program) => !existsSync(join(folder, program)))
  if (missing !== undefined) throw new Error(`KUBEBUILDER_ASSETS names "${folder}", which holds no ${missing}`)
  return folder
}

function hasGo(): boolean {
  return spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0
}

function sayOnStandardError(line: string): void {
  process.stderr.write(`meshward: ${line}\n`)
}
