import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import { afterEach, expect, test, vi } from 'vitest'
import { parse } from 'yaml'

import { provideBinary, whyNoBinaries } from '../../tools/cluster/binaries.ts'
import { defaultVersions, programs, sourceOf, testedVersions, type Program } from '../../tools/cluster/programs.ts'

afterEach(() => vi.unstubAllEnvs())

test.each<[Program, string, string]>([
  ['etcd', 'etcd', '.'],
  ['kube-apiserver', 'kubernetes-1.36', 'k8s.io/kubernetes/cmd/kube-apiserver'],
  ['kubectl', 'kubernetes-1.36', 'k8s.io/kubernetes/cmd/kubectl'],
  ['kube-controller-manager', 'kubernetes-1.36', 'k8s.io/kubernetes/cmd/kube-controller-manager'],
  ['helm', 'helm-4', 'helm.sh/helm/v4/cmd/helm'],
])('%s is built from the module in %s', (program, folder, goPackage) => {
  const source = sourceOf(program, defaultVersions)
  expect({ folder: basename(source.folder), goPackage: source.goPackage }).toEqual({ folder, goPackage })
  expect(source.version).toMatch(/^v\d+\.\d+\.\d+$/)
  expect(source.key).toContain(`${folder}-${source.version}-${process.platform}-${process.arch}-`)
})

test('Kubernetes programs are told their version, which clients and servers compare', () => {
  const { ldflags, version } = sourceOf('kubectl', defaultVersions)
  const [major, minor] = version.slice(1).split('.')
  const variables = ldflags.split(' ').filter((flag) => flag.includes('='))
  expect(variables).toEqual([
    `k8s.io/component-base/version.gitVersion=${version}`,
    `k8s.io/component-base/version.gitMajor=${major}`,
    `k8s.io/component-base/version.gitMinor=${minor}`,
  ])
})

test('a version that no module pins is an error that names the file', () => {
  expect(() => sourceOf('kubectl', { ...defaultVersions, kubernetes: '1.1' })).toThrow('kubernetes-1.1')
})

test('the chart asks for the oldest Kubernetes that it is tested on', () => {
  const oldest = testedVersions
    .map(({ kubernetes }) => kubernetes)
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0]
  const chart: unknown = parse(readFileSync('charts/meshward/Chart.yaml', 'utf8'))
  expect(chart).toMatchObject({ kubeVersion: `>=${oldest}.0-0` })
})

test('KUBEBUILDER_ASSETS goes before building', async () => {
  const assets = mkdtempSync(join(tmpdir(), 'meshward-assets-'))
  vi.stubEnv('KUBEBUILDER_ASSETS', assets)
  vi.stubEnv('PATH', '')
  expect(() => whyNoBinaries()).toThrow(`KUBEBUILDER_ASSETS names "${assets}", which holds no etcd`)
  for (const program of programs) {
    writeFileSync(join(assets, program), '')
    chmodSync(join(assets, program), 0o755)
  }
  expect(whyNoBinaries()).toBeUndefined()
  expect(await provideBinary('kube-apiserver')).toBe(join(assets, 'kube-apiserver'))
  rmSync(assets, { recursive: true })
})

test('a machine without Go and without KUBEBUILDER_ASSETS is told what it needs', () => {
  vi.stubEnv('KUBEBUILDER_ASSETS', undefined)
  vi.stubEnv('PATH', '')
  expect(whyNoBinaries()).toBe(
    'a test cluster needs Go, or KUBEBUILDER_ASSETS naming a folder with etcd, kube-apiserver and kubectl',
  )
})
