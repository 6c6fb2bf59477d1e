import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'

import manifest from '../../package.json' with { type: 'json' }
import { checkOut, type Checkout, type Ended } from './pipeline.ts'

// each test starts the command line as a process of its own, once or twice
vi.setConfig({ testTimeout: 60_000 })

const REFUSED = 'permissive-peer-authentication.yaml'
const INCOMPLETE = 'bare-destination-rule.yaml'
const CLEAN = 'strict-peer-authentication.yaml'
const COMPOSE = 'services:\n  web: { image: nginx }\n'

const headOf = (kind: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: { name: cart, namespace: shop }\n`
const read = (path: string) => parse(readFileSync(path, 'utf8'))

test('every example names the image of this version', () => {
  const files = ['.pre-commit-hooks.yaml', ...readdirSync('examples/ci').map((name) => join('examples/ci', name))]
  const images = files.flatMap((file) => readFileSync(file, 'utf8').match(/ghcr\.io\/meshward\/meshward\S*/g) ?? [])
  expect(new Set(images)).toStrictEqual(new Set([`ghcr.io/meshward/meshward:${manifest.version}`]))
})

describe('the workflow of GitHub Actions', () => {
  interface Step {
    readonly name?: string
    readonly uses?: string
    readonly run?: string
    readonly if?: string
    readonly with?: Readonly<Record<string, string>>
  }
  const { env, jobs } = read('examples/ci/github-actions.yaml')
  const stepsOf = (job: string): readonly Step[] => jobs[job].steps
  const stepOf = (job: string, name: string): Step => stepsOf(job).find((step) => step.name === name) ?? {}
  const scriptOf = (job: string, name: string): string => stepOf(job, name).run ?? 'exit 99'

  test.each([
    ['a refused manifest fails the job', REFUSED, 1, ['MTLS-02 error manifests/mesh.yaml:9']],
    ['a clean one passes', CLEAN, 0, []],
    ['what cannot be read fails it too', '{', 2, []],
  ])('check: %s, and the log that is uploaded is SARIF 2.1.0', (_, content, code, expected) => {
    const { shell, read: readText } = checkOut({ 'manifests/mesh.yaml': content, 'docker-compose.yaml': COMPOSE })
    expect(shell(scriptOf('check', 'Check'), env)).toMatchObject({ code, stdout: '' })
    const upload = stepOf('check', 'Upload')
    expect(upload).toMatchObject({ if: '${{ !cancelled() }}', uses: expect.stringMatching(/upload-sarif@v\d+$/) })
    const { version, $schema, runs }: Log = JSON.parse(readText(upload.with?.['sarif_file'] ?? ''))
    expect({ version, $schema }).toStrictEqual({ version: '2.1.0', $schema: expect.stringContaining('sarif-2.1.0') })
    const shown = runs.flatMap(({ tool, results = [] }) => {
      const rules = (tool.driver.rules ?? []).map(({ id }) => id)
      return results.map(({ ruleId = '', ruleIndex = -1, level, locations = [], message }) => {
        expect({ rule: rules[ruleIndex], text: message.text }).toStrictEqual({ rule: ruleId, text: expect.any(String) })
        const [place] = locations.map(({ physicalLocation }) => physicalLocation)
        return `${ruleId} ${level} ${place?.artifactLocation?.uri}:${place?.region?.startLine}`
      })
    })
    expect(shown).toStrictEqual(expected)
  })

  test('may write what it uploads, and nothing else', () => {
    expect(jobs.check.permissions).toStrictEqual({ contents: 'read', 'security-events': 'write' })
  })

  const complete = (files: Readonly<Record<string, string>>): readonly Ended[] => {
    const { shell } = checkOut(files)
    return ['Fix', 'Compare'].map((name) => shell(scriptOf('complete', name), env))
  }

  test('complete: a manifest that the cluster would fill in fails the job, and the log shows what to commit', () => {
    const [fix, compare] = complete({ 'manifests/mesh.yaml': INCOMPLETE })
    expect(fix).toMatchObject({ code: 0 })
    expect(compare).toMatchObject({ code: 1, stdout: expect.stringMatching(/^\+ {2}trafficPolicy:$/m) })
  })

  test('complete: a manifest that needs nothing passes', () => {
    const ended = complete({ 'manifests/mesh.yaml': CLEAN, 'manifests/values.yaml': 'replicas: 2\n' })
    expect(ended.map(({ code, stdout }) => `${code} ${stdout}`)).toStrictEqual(['0 ', '0 '])
  })
})

describe('the jobs of GitLab', () => {
  const { render, ...jobs } = read('examples/ci/gitlab-ci.yaml')
  const template = jobs['.meshward']

  test('run in the image, with the shell in the place of the server', () => {
    expect(template.image.entrypoint).toStrictEqual([''])
    expect([jobs['meshward'].extends, jobs['meshward-chart'].extends]).toStrictEqual(['.meshward', '.meshward'])
  })

  test.each([
    ['meshward', 'manifests/mesh.yaml'],
    ['meshward-chart', render.artifacts.paths[0]],
  ])('%s: the report holds each object, and the findings are failures of it', (job, path) => {
    const { shell, read: readText } = checkOut({ [path]: REFUSED })
    expect(shell(jobs[job].script.join('\n'))).toMatchObject({ code: 1, stdout: '' })
    expect(template.artifacts.when).toBe('always')
    const xml = readText(template.artifacts.reports.junit)
    expect(XMLValidator.validate(xml)).toBe(true)
    expect(new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' }).parse(xml)).toMatchObject({
      testsuites: {
        tests: '1',
        failures: '1',
        errors: '0',
        testsuite: { name: path, testcase: { name: 'PeerAuthentication shop/default', failure: { type: 'MTLS-02' } } },
      },
    })
  })

  test.each(['meshward', 'meshward-chart'])('%s: a clean manifest passes', (job) => {
    const { shell } = checkOut({ 'manifests/mesh.yaml': CLEAN, 'rendered.yaml': CLEAN })
    expect(shell(jobs[job].script.join('\n'))).toStrictEqual({ code: 0, stdout: '', stderr: '' })
  })
})

describe('the pre-commit hooks', () => {
  interface Hook {
    readonly id: string
    readonly entry: string
    readonly language: string
    readonly types_or: readonly string[]
    readonly require_serial: boolean
  }
  interface Use {
    readonly id: string
    readonly args?: readonly string[]
    readonly exclude?: string
  }
  const hooks: readonly Hook[] = read('.pre-commit-hooks.yaml')
  const [repository] = read('examples/ci/pre-commit-config.yaml').repos
  const uses: readonly Use[] = repository.hooks

  /** As pre-commit does with `language: docker_image`: its own options of docker, then entry, args and file names. */
  const runHook = (id: string, { folder, docker }: Checkout, changed: readonly string[]): Ended => {
    const hook = hooks.find((one) => one.id === id)
    const use = uses.find((one) => one.id === id)
    if (hook === undefined || use === undefined) throw new Error(`${id} is not both defined and used`)
    const { args = [], exclude = '^$' } = use
    const files = changed.filter((path) => /\.(?:ya?ml|json)$/.test(path) && !new RegExp(exclude).test(path))
    const mount = ['--rm', '-u', '1000:1000', '-v', `${folder}:/src:rw,Z`, '--workdir', '/src']
    return docker(['run', ...mount, ...hook.entry.split(' '), ...args, ...files])
  }

  test('run in the image, once for all files, and the example uses each at the version that it names', () => {
    const kept = { language: 'docker_image', types_or: ['yaml', 'json'], require_serial: true }
    expect(hooks).toStrictEqual(hooks.map((hook) => ({ ...hook, ...kept })))
    expect(uses.map(({ id }) => id).toSorted()).toStrictEqual(hooks.map(({ id }) => id).toSorted())
    expect(repository.rev).toBe(`v${manifest.version}`)
  })

  const OTHERS = {
    'docker-compose.yaml': COMPOSE,
    'package.json': '{ "name": "shop" }\n',
    'chart/templates/mesh.yaml': '{{- if .Values.mesh }}\nkind: {{ .Values.kind }}\n{{- end }}\n',
    'README.md': '# Shop\n',
  }
  const WHOLE = { ...OTHERS, 'manifests/mesh.yaml': REFUSED }

  test('check: a refused manifest stops the commit, whatever else is in it', () => {
    const { code, stdout } = runHook('meshward-check', checkOut(WHOLE), Object.keys(WHOLE))
    expect({ code, stdout }).toStrictEqual({ code: 1, stdout: expect.stringContaining('deny[MTLS-02] spec.mtls.mode') })
  })

  test('check: a commit without manifests passes', () => {
    const { code, stdout } = runHook('meshward-check', checkOut(WHOLE), Object.keys(OTHERS))
    expect({ code, stdout }).toStrictEqual({ code: 0, stdout: '0 objects checked: nothing found\n' })
  })

  test('check: a changed file is judged amid the folder, of which nothing else is judged', () => {
    const destination = '{ destination: { host: cart, subset: v2 } }'
    const route = `spec: { hosts: [cart], http: [{ timeout: 5s, route: [${destination}] }] }\n`
    const subsets = 'spec: { host: cart, subsets: [{ name: v1, labels: { version: v1 } }] }\n'
    const checkout = checkOut({
      ...WHOLE,
      'manifests/route.yaml': `${headOf('VirtualService')}${route}`,
      'manifests/subsets.yaml': `${headOf('DestinationRule')}${subsets}`,
    })
    const { code, stdout } = runHook('meshward-check', checkout, ['manifests/route.yaml'])
    expect({ code, stdout }).toStrictEqual({ code: 0, stdout: expect.stringContaining('\n1 object checked: ') })
    expect(stdout).toContain('warn[VS-05]')
    expect(stdout).not.toContain('skipped')
  })

  test('fix: what was left out is written into the files, which is what stops the commit', () => {
    const checkout = checkOut({ ...WHOLE, 'manifests/mesh.yaml': INCOMPLETE })
    const { code } = runHook('meshward-fix', checkout, ['docker-compose.yaml', 'manifests/mesh.yaml'])
    const { stdout: changed } = checkout.shell('git diff --name-only')
    expect({ code, changed }).toStrictEqual({ code: 0, changed: 'manifests/mesh.yaml\n' })
    expect(runHook('meshward-fix', checkout, ['manifests/mesh.yaml'])).toMatchObject({ code: 0, stdout: '' })
  })
})
