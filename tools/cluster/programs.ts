import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The programs that a test cluster is made of, and Helm. All are built from Go modules. */
export const programs = ['etcd', 'kube-apiserver', 'kubectl', 'kube-controller-manager', 'helm'] as const

export type Program = (typeof programs)[number]

export interface ProgramVersions {
  /** Minor version of Kubernetes: the folder `kubernetes-<minor>` pins the exact one. */
  readonly kubernetes: string
  /** Major version of Helm: the folder `helm-<major>` pins the exact one. */
  readonly helm: string
}

export const defaultVersions: ProgramVersions = { kubernetes: '1.36', helm: '4' }

/** The newest and the oldest that tests install the chart with. */
export const testedVersions: readonly ProgramVersions[] = [defaultVersions, { kubernetes: '1.32', helm: '3' }]

/** What `go build` has to know about one program. */
export interface ProgramSource {
  readonly program: Program
  /** The folder of the Go module that pins it. */
  readonly folder: string
  /** The Go package to build. */
  readonly goPackage: string
  /** `v1.36.3` */
  readonly version: string
  readonly ldflags: string
  /** Names the build in a cache: equal keys are equal programs. */
  readonly key: string
}

/** Where a program comes from. Throws when no module folder pins the version asked for. */
export function sourceOf(program: Program, versions: ProgramVersions): ProgramSource {
  const { name, module, goPackage, variables } = originOf(program, versions)
  const folder = join(import.meta.dirname, name)
  const version = pinnedVersion(join(folder, 'go.mod'), module)
  return {
    program,
    folder,
    goPackage,
    version,
    ldflags: ['-s', '-w', ...variables(version).map((variable) => `-X ${variable}`)].join(' '),
    key: `${name}-${version}-${process.platform}-${process.arch}-${contentHash(folder)}`,
  }
}

interface Origin {
  /** The module folder beside this file. */
  readonly name: string
  readonly module: string
  readonly goPackage: string
  /** Go variables to set at link time, `name=value`. */
  readonly variables: (version: string) => readonly string[]
}

function originOf(program: Program, { kubernetes, helm }: ProgramVersions): Origin {
  if (program === 'etcd') {
    return { name: 'etcd', module: 'go.etcd.io/etcd/server/v3', goPackage: '.', variables: () => [] }
  }
  if (program === 'helm') {
    const module = `helm.sh/helm/v${helm}`
    const variables = (version: string) => [`${module}/internal/version.version=${version}`]
    return { name: `helm-${helm}`, module, goPackage: `${module}/cmd/helm`, variables }
  }
  const module = 'k8s.io/kubernetes'
  return { name: `kubernetes-${kubernetes}`, module, goPackage: `${module}/cmd/${program}`, variables: gitVersion }
}

/** Without these the programs call themselves v0.0.0, and kubectl and Helm refuse the API server's version. */
function gitVersion(version: string): readonly string[] {
  const [major, minor] = version.slice(1).split('.')
  return Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor }).map(
    ([name, value]) => `k8s.io/component-base/version.${name}=${value}`,
  )
}

function pinnedVersion(goMod: string, module: string): string {
  const line = readFileSync(goMod, 'utf8')
    .split('\n')
    .map((text) => text.replace(/^require\s/, '').trim())
    .find((text) => text.startsWith(`${module} v`))
  const version = line?.split(' ')[1]
  if (version === undefined) throw new Error(`${goMod} does not require ${module}`)
  return version
}

function contentHash(folder: string): string {
  const hash = createHash('sha256')
  for (const file of readdirSync(folder).toSorted()) {
    hash.update(`${file}\0`).update(readFileSync(join(folder, file)))
  }
  return hash.digest('hex').slice(0, 12)
}
