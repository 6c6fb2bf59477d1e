import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { asObject, isObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { parseYamlDocuments } from '../../../src/kube/yaml-document.ts'
import { chartFolder, createHelm, type HelmResult } from '../harness/helm.ts'

/** The chart with some values, rendered for a release that is called `meshward`. */
export interface Renderer {
  /** What comes of it, by `Kind/name`, or `pre-delete Kind/name` for a hook. Rejects with what Helm says where it refuses. */
  readonly render: (values?: JsonObject) => Promise<Rendered>
  /** What Helm says where it refuses; rejects where it does not. */
  readonly refusal: (values: JsonObject) => Promise<string>
  readonly lint: (values?: JsonObject) => Promise<HelmResult>
}

export type Rendered = ReadonlyMap<string, JsonObject>

/** A Helm of this major version that renders, for the oldest Kubernetes that is tested. */
export async function openRenderer(major: string, namespace = 'meshward-system'): Promise<Renderer> {
  const helm = await createHelm({ home: await mkdtemp(join(tmpdir(), 'meshward-helm-')), major })
  const template = (values: JsonObject) =>
    helm(['template', 'meshward', chartFolder, '-n', namespace, '--kube-version', '1.32.0', ...given(values)])
  return {
    render: async (values = {}) => {
      const { code, stdout, stderr } = await template(values)
      if (code !== 0) throw new Error(stderr)
      return new Map(documentsOf(stdout).map((object) => [keyOf(object), object]))
    },
    refusal: async (values) => {
      const { code, stderr } = await template(values)
      if (code === 0) throw new Error(`accepted: ${JSON.stringify(values)}`)
      return stderr
    },
    lint: (values = {}) => helm(['lint', '--strict', chartFolder, ...given(values)]),
  }
}

/** The field of an object that is rendered, by its path. Throws where the object is not. */
export function fieldOf(rendered: Rendered, object: string, ...path: readonly (string | number)[]): Json | undefined {
  const found = rendered.get(object)
  if (found === undefined) throw new Error(`no ${object} among ${[...rendered.keys()].join(', ')}`)
  return path.reduce<Json | undefined>(
    (value, step) => (Array.isArray(value) ? value[Number(step)] : asObject(value)[step]),
    found,
  )
}

/** The same of a text; throws where it is none. */
export function textOf(rendered: Rendered, object: string, ...path: readonly (string | number)[]): string {
  const found = fieldOf(rendered, object, ...path)
  if (typeof found !== 'string') throw new Error(`${path.join('.')} of ${object} is ${JSON.stringify(found)}`)
  return found
}

function given(values: JsonObject): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`])
}

function documentsOf(text: string): readonly JsonObject[] {
  return parseYamlDocuments(text).flatMap((outcome) => {
    if (!outcome.ok) throw new Error(`${outcome.error.line}: ${outcome.error.message}`)
    return isObject(outcome.document.value) ? [outcome.document.value] : []
  })
}

/** With the hook that it is, as what runs before an uninstall bears the names of what it replaces. */
function keyOf({ kind, metadata }: JsonObject): string {
  const { name, annotations } = asObject(metadata)
  const hook = text(asObject(annotations)['helm.sh/hook'])
  return `${hook === '' ? '' : `${hook} `}${text(kind)}/${text(name)}`
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
