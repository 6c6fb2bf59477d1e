import { asList, asObject, isList, isObject, own, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf, type KubeObject } from '../kube/object.ts'
import { parseDuration, SECOND, type Duration } from '../kube/duration.ts'
import { parseYamlDocuments } from '../kube/yaml-document.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { MESH_CONFIG_FIELDS } from './mesh-config-fields.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** What the mesh as a whole is set to, with Istio's defaults where nothing is set. istio: config/mesh/mesh.go DefaultMeshConfig. */
export interface MeshConfig {
  readonly rootNamespace: string
  readonly trustDomain: string
  readonly trustDomainAliases: readonly string[]
  readonly enableAutoMtls: boolean
  readonly outboundTrafficPolicy: OutboundTrafficPolicy
  readonly defaultServiceExportTo: readonly string[]
  readonly defaultVirtualServiceExportTo: readonly string[]
  readonly defaultDestinationRuleExportTo: readonly string[]
  readonly connectTimeout: Duration
  /** An HTTPRetry, where the mesh sets one. */
  readonly defaultHttpRetryPolicy: JsonObject | undefined
  /** `connectionPool` and `outlierDetection` for what no DestinationRule sets. */
  readonly defaultTrafficPolicy: JsonObject
  /** Label selectors of the namespaces that istiod looks at; none: all. */
  readonly discoverySelectors: readonly Json[]
  readonly pathNormalization: PathNormalization
  /** By name, Istio's own three among them. */
  readonly extensionProviders: ReadonlyMap<string, JsonObject>
  /** Everything that is set, as it is written, for what has no field here. */
  readonly settings: JsonObject
  /** What istiod would refuse or ignore. Where there is any, the default stands in for it. */
  readonly problems: readonly MeshConfigProblem[]
}

export type OutboundTrafficPolicy = 'ALLOW_ANY' | 'REGISTRY_ONLY'
export type PathNormalization = 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES'

export interface MeshConfigProblem {
  /** The field of MeshConfig; empty for the document as a whole. */
  readonly field: string
  readonly message: string
}

/**
 * The MeshConfig of a mesh: key `mesh` of the ConfigMap `istio` beside istiod or, where there is only a revision's, the first
 * `istio-REVISION`. Without one, Istio's defaults. Never throws: what is damaged is in `problems`.
 */
export function meshConfigOf(snapshot: MeshSnapshot): MeshConfig {
  const map = meshConfigMapOf(snapshot)
  return map === undefined ? DEFAULTS : readConfigMap(map)
}

/** The ConfigMap that holds the MeshConfig. */
export function meshConfigMapOf(snapshot: MeshSnapshot): KubeObject | undefined {
  const main = snapshot.get(KINDS.configMap, snapshot.istioNamespace, 'istio')
  if (main !== undefined) return main
  return snapshot
    .inNamespace(KINDS.configMap, snapshot.istioNamespace)
    .find((map) => nameOf(map).startsWith('istio-') && own(asObject(map.data), 'mesh') !== undefined)
}

const readConfigMap = memo((map: KubeObject): MeshConfig => {
  const text = own(asObject(map.data), 'mesh')
  if (text === undefined) return DEFAULTS
  if (typeof text !== 'string') return readMeshConfig({}, [{ field: '', message: 'the key "mesh" is not text' }])
  const outcomes = parseYamlDocuments(text)
  const [first] = outcomes
  if (first === undefined) return DEFAULTS
  if (!first.ok) {
    const { line, message } = first.error
    return readMeshConfig({}, [{ field: '', message: `line ${line}: ${message}` }])
  }
  const { value } = first.document
  if (!isObject(value)) return readMeshConfig({}, [{ field: '', message: 'the text is not a map of settings' }])
  return readMeshConfig(value, [])
})

/** Reads a MeshConfig document. Names in camel case and, as protobuf allows, in snake case. */
function readMeshConfig(document: JsonObject, found: readonly MeshConfigProblem[]): MeshConfig {
  const settings = camelCased(document)
  const problems = [...found]
  const read = <T>(field: string, accept: (value: Json) => T | undefined, fallback: T): T => {
    const value = own(settings, field)
    if (value === undefined || value === null) return fallback
    const accepted = accept(value)
    if (accepted !== undefined) return accepted
    problems.push({ field, message: `${field} is ${JSON.stringify(value).slice(0, 60)}, which istiod does not accept` })
    return fallback
  }
  for (const field of Object.keys(settings)) {
    if (!MESH_CONFIG_FIELDS.has(field)) problems.push({ field, message: `MeshConfig has no field "${field}"` })
  }
  return {
    rootNamespace: read('rootNamespace', asText, 'istio-system'),
    trustDomain: read('trustDomain', asText, 'cluster.local'),
    trustDomainAliases: read('trustDomainAliases', asTexts, []),
    enableAutoMtls: read('enableAutoMtls', (value) => (typeof value === 'boolean' ? value : undefined), true),
    outboundTrafficPolicy: read('outboundTrafficPolicy', (value) => lookup(MODES, asObject(value).mode), 'ALLOW_ANY'),
    defaultServiceExportTo: read('defaultServiceExportTo', asTexts, EVERYWHERE),
    defaultVirtualServiceExportTo: read('defaultVirtualServiceExportTo', asTexts, EVERYWHERE),
    defaultDestinationRuleExportTo: read('defaultDestinationRuleExportTo', asTexts, EVERYWHERE),
    connectTimeout: read('connectTimeout', parseDuration, 10n * SECOND),
    defaultHttpRetryPolicy: read('defaultHttpRetryPolicy', asMap, undefined),
    defaultTrafficPolicy: read('defaultTrafficPolicy', asMap, {}),
    discoverySelectors: read('discoverySelectors', (value) => (isList(value) ? value : undefined), []),
    pathNormalization: read(
      'pathNormalization',
      (value) => lookup(NORMALIZATIONS, asObject(value).normalization),
      'BASE',
    ),
    extensionProviders: providers(asList(own(settings, 'extensionProviders'))),
    settings,
    problems,
  }
}

function providers(list: readonly Json[]): ReadonlyMap<string, JsonObject> {
  const byName = new Map<string, JsonObject>(BUILT_IN_PROVIDERS)
  for (const item of list) {
    const provider = asObject(item)
    if (typeof provider.name === 'string') byName.set(provider.name, provider)
  }
  return byName
}

function camelCased(document: JsonObject): JsonObject {
  if (!Object.keys(document).some((key) => key.includes('_'))) return document
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [
      key.replace(/_([a-zA-Z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )
}

function asText(value: Json): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function asTexts(value: Json): readonly string[] | undefined {
  return isList(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

function asMap(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** The meaning of an enum's value; a value left out is the enum's first. */
function lookup<T>(meanings: Readonly<Record<string, T>>, value: Json | undefined): T | undefined {
  if (value === undefined) return Object.values(meanings)[0]
  return typeof value === 'string' && Object.hasOwn(meanings, value) ? meanings[value] : undefined
}

const EVERYWHERE: readonly string[] = ['*']
const MODES: Readonly<Record<string, OutboundTrafficPolicy>> = {
  REGISTRY_ONLY: 'REGISTRY_ONLY',
  ALLOW_ANY: 'ALLOW_ANY',
  // opens the same names as ALLOW_ANY, by resolving them; the difference is how, not what
  ALLOW_ANY_DYNAMIC_DNS: 'ALLOW_ANY',
}
const NORMALIZATIONS: Readonly<Record<string, PathNormalization>> = {
  DEFAULT: 'BASE',
  NONE: 'NONE',
  BASE: 'BASE',
  MERGE_SLASHES: 'MERGE_SLASHES',
  DECODE_AND_MERGE_SLASHES: 'DECODE_AND_MERGE_SLASHES',
}
const BUILT_IN_PROVIDERS: ReadonlyMap<string, JsonObject> = new Map([
  ['prometheus', { name: 'prometheus', prometheus: {} }],
  ['stackdriver', { name: 'stackdriver', stackdriver: {} }],
  ['envoy', { name: 'envoy', envoyFileAccessLog: { path: '/dev/stdout' } }],
])
const DEFAULTS: MeshConfig = readMeshConfig({}, [])
