import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { cacheFolder } from '../../../tools/cluster/binaries.ts'
import { kubectlOutput, type Kubectl } from './kubectl.ts'

export type CrdSet = 'istio' | 'gateway-api'

interface CrdModule {
  readonly module: string
  readonly version: string
  /** A YAML file or a folder of them in the module. */
  readonly path: string
}

const modules: Readonly<Record<CrdSet, CrdModule>> = {
  istio: {
    module: 'istio.io/api',
    version: 'v1.31.1',
    path: 'kubernetes/customresourcedefinitions.gen.yaml',
  },
  'gateway-api': { module: 'sigs.k8s.io/gateway-api', version: 'v1.4.0', path: 'config/crd/standard' },
}

/**
 * The path of a file with a project's CRDs. They come from the project's Go module and are kept in the cache folder, so
 * that Go and the network are needed once. Rejects with a sentence when Go is missing or the module cannot be had.
 */
export async function crdFile(set: CrdSet): Promise<string> {
  const { module, version, path } = modules[set]
  const file = join(cacheFolder, `crds-${set}-${version}.yaml`)
  if (existsSync(file)) return file
  const source = join(await moduleFolder(`${module}@${version}`), path)
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(`${file}.${process.pid}`, readYaml(source))
  renameSync(`${file}.${process.pid}`, file)
  return file
}

/** Applies CRDs and waits until the API server serves them. */
export async function installCrds(kubectl: Kubectl, sets: readonly CrdSet[]): Promise<void> {
  await Promise.all(
    sets.map(async (set) => {
      const file = await crdFile(set)
      // Server-side: the annotation of a client-side apply has no room for Gateway API's schemas.
      await kubectlOutput(kubectl, ['apply', '--server-side', '-f', file])
      await kubectlOutput(kubectl, ['wait', '--for=condition=Established', '--timeout=60s', '-f', file])
    }),
  )
}

async function moduleFolder(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], {
    env: { ...process.env, GOFLAGS: '-mod=mod', GOWORK: 'off' },
  })
  const answer: unknown = JSON.parse(stdout)
  if (typeof answer === 'object' && answer !== null && 'Dir' in answer && typeof answer.Dir === 'string')
    return answer.Dir
  throw new Error(`go mod download ${module} names no folder: ${stdout}`)
}

function readYaml(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path, 'utf8')
  const files = readdirSync(path).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  return files.map((name) => readFileSync(join(path, name), 'utf8')).join('\n---\n')
}
