import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { asList, asObject, isObject, type JsonObject } from '../../src/kube/json.ts'
import { isKubeObject, type KubeObject } from '../../src/kube/object.ts'
import { text, texts } from '../../src/mesh/fields.ts'
import { parseRequest, type Request } from '../../src/mesh/request.ts'
import { buildSnapshot, type MeshSnapshot } from '../../src/mesh/snapshot.ts'

/** One file of the istiod oracle: a mesh, and what Istio's control plane makes of it. */
export interface OracleMesh {
  readonly id: string
  readonly families: readonly string[]
  readonly snapshot: MeshSnapshot
  readonly requests: readonly Request[]
  readonly facts: JsonObject
}

/** The meshes of an oracle folder, by file name. */
export function* readOracle(folder: string): Generator<OracleMesh> {
  const files = readdirSync(join(folder, 'meshes')).filter((name) => name.endsWith('.json'))
  for (const file of files.sort()) {
    const document: unknown = JSON.parse(readFileSync(join(folder, 'meshes', file), 'utf8'))
    yield readMesh(asObject(document))
  }
}

function readMesh(document: JsonObject): OracleMesh {
  const objects = asList(document.objects).filter((object): object is KubeObject => isKubeObject(object))
  return {
    id: text(document.id) ?? '',
    families: texts(document.families),
    snapshot: buildSnapshot([...objects, meshConfigMap(JSON.stringify(asObject(document.meshConfig)))]),
    requests: asList(document.requests).flatMap((request) => parseRequest(request) ?? []),
    facts: asObject(document.facts),
  }
}

/** The mesh's settings, as YAML or JSON, where a cluster keeps them. */
export function meshConfigMap(mesh: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh },
  }
}

/** The members of a map of maps, as `[outer key, inner key, value]`. */
export function* entriesOf(value: JsonObject[string]): Generator<readonly [string, string, JsonObject[string]]> {
  for (const [outer, inner] of Object.entries(asObject(value))) {
    if (!isObject(inner)) continue
    for (const [key, member] of Object.entries(inner)) yield [outer, key, member]
  }
}
