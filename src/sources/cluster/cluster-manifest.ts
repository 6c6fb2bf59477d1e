import { stringify } from 'yaml'

import { asObject, type Json } from '../../kube/json.ts'
import { isKubeObject, nameOf, namespaceOf, type KubeObject } from '../../kube/object.ts'
import { parseYamlDocuments, type YamlDocument } from '../../kube/yaml-document.ts'
import type { Manifest, SourceText } from '../manifests.ts'

/** An object of a cluster as a manifest that can be judged, without what the API server keeps in it for itself. */
export function clusterManifest(item: Json, kind: string, apiVersion: string): Manifest | undefined {
  const { metadata, ...rest } = asObject(item)
  const { managedFields: _, ...kept } = asObject(metadata)
  const object: Json = { ...rest, apiVersion, kind, metadata: kept }
  if (!isKubeObject(object)) return undefined
  return { object, place: { file: fileOf(object), document: 0 }, document: lazyDocument(object), path: [] }
}

/** The object as YAML, for excerpts. */
export function clusterText({ object, place }: Manifest): SourceText {
  return { file: place.file, text: textOf(object), origin: 'named' }
}

/** Is it from a cluster, and in no file? */
export function isOfCluster({ place }: Manifest): boolean {
  return place.file.startsWith(PREFIX)
}

/** Sets these names apart from those of files. */
const PREFIX = 'cluster:'

/** Where a finding is, for an object that is in no file: `cluster:shop/VirtualService/cart`. */
function fileOf(object: KubeObject): string {
  const parts = [namespaceOf(object), object.kind, nameOf(object)]
  return PREFIX + parts.filter((part) => part !== '').join('/')
}

function textOf(object: KubeObject): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}

/** Most objects have no finding, so that nobody asks for lines. */
function lazyDocument(object: KubeObject): YamlDocument {
  let parsed: YamlDocument | undefined
  const document = (): YamlDocument => {
    parsed ??= parse(object)
    return parsed
  }
  return {
    index: 0,
    value: object,
    get root() {
      return document().root
    },
    locate: (path) => document().locate(path),
    locateName: (path) => document().locateName(path),
    locateInScalar: (path, offset) => document().locateInScalar(path, offset),
  }
}

function parse(object: KubeObject): YamlDocument {
  const [outcome] = parseYamlDocuments(textOf(object))
  if (outcome?.ok !== true) throw new Error(`${fileOf(object)} cannot be written as YAML`)
  return outcome.document
}
