import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'

import { asObject, type JsonObject } from '../../../src/kube/json.ts'
import { run } from '../../cli/run-in-process.ts'
import { openRenderer, textOf, type Renderer } from './render.ts'

// The values that docs/operations.md shows, as the chart and the rules understand them.

const page = readFileSync('docs/operations.md', 'utf8')
const blocks = [...page.matchAll(/^```yaml\n# values\.yaml: (.*)\n([^]*?)^```$/gm)].map(([, title = '', text = '']) => {
  const values: unknown = parse(text)
  return { title, values: asObject(values) }
})
const valuesOf = (title: string): JsonObject => blocks.find((block) => block.title === title)?.values ?? {}

describe('values in docs/operations.md', () => {
  let renderer: Renderer
  let folder: string
  beforeAll(async () => {
    renderer = await openRenderer('4')
    folder = mkdtempSync(join(tmpdir(), 'operations-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** A key of what the chart makes of them, as a file. */
  const fileOf = async (title: string, configMap: string, key: string): Promise<string> => {
    const file = join(folder, key)
    writeFileSync(file, textOf(await renderer.render(valuesOf(title)), `ConfigMap/${configMap}`, 'data', key))
    return file
  }
  /** What RES-01 says of a route without timeout, by namespace. */
  const withoutTimeout = async (bindings: string, namespace: string): Promise<string> => {
    const stdin = readFileSync('examples/virtual-service-without-timeout.yaml', 'utf8').replace(
      'namespace: shop',
      `namespace: ${namespace}`,
    )
    const args = ['check', '-', '--only', 'RES-01', '--bindings', bindings, '-o', 'json']
    const { findings } = JSON.parse((await run(args, { stdin, shippedPolicies: 'policies' })).stdout)
    return findings.map(({ action }: { readonly action: string }) => action).join()
  }

  test.each(blocks)('$title: the chart takes them', async ({ values }) => {
    expect((await renderer.render(values)).has('Deployment/meshward')).toBe(true)
  })

  test('one rule gives way in one namespace, and holds everywhere else', async () => {
    const bindings = await fileOf('one rule gives way in one namespace', 'meshward-config', 'bindings.yaml')
    expect(await withoutTimeout(bindings, 'shop')).toBe('Warn')
    expect(await withoutTimeout(bindings, 'billing')).toBe('Deny')
  })

  test('what is set for some namespaces leaves the others as they were', async () => {
    const bindings = await fileOf('what applies where, and how strictly', 'meshward-config', 'bindings.yaml')
    expect(await withoutTimeout(bindings, 'reports-daily')).toBe('Warn')
    expect(await withoutTimeout(bindings, 'billing')).toBe('Deny')
  })

  test("a rule of one's own compiles and finds what it is for", async () => {
    const policy = await fileOf("a rule of one's own", 'meshward-policies', 'owner.yaml')
    const args = ['check', 'examples/virtual-service-without-timeout.yaml', '--policies', policy, '--only', 'ACME-01']
    const { stdout } = await run([...args, '-o', 'json'], { shippedPolicies: 'policies' })
    expect(JSON.parse(stdout)).toMatchObject({
      errors: [],
      findings: [{ code: 'ACME-01', action: 'Warn', field: 'metadata.labels.owner', message: 'nobody owns this' }],
    })
  })
})
