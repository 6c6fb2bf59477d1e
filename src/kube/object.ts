import { asObject, isObject, own, type Json, type JsonObject } from './json.ts'

/** An object of the Kubernetes API, of any kind, as JSON. Nothing but the envelope is promised. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [key: string]: Json | ObjectMeta | undefined
}

export interface ObjectMeta {
  readonly name?: string
  readonly namespace?: string
  readonly generateName?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly [key: string]: Json | undefined
}

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface GroupVersionResource {
  readonly group: string
  readonly version: string
  readonly resource: string
}

/** What names an object to a person. `namespace` is empty for cluster-scoped kinds. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** `security.istio.io/v1` → group and version; the core group is `''`. */
export function parseApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.lastIndexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** The group of an object's apiVersion; `''` for the core group and for objects without one. */
export function groupOf(object: JsonObject | KubeObject): string {
  return typeof object.apiVersion === 'string' ? parseApiVersion(object.apiVersion).group : ''
}

/** True when the value has the two strings that make it an object of the API. */
export function isKubeObject(value: unknown): value is KubeObject {
  return isObject(value) && typeof value.apiVersion === 'string' && typeof value.kind === 'string' && value.kind !== ''
}

/** `metadata.labels` with everything that is not a string left out. Never throws. */
export function labelsOf(object: unknown): Readonly<Record<string, string>> {
  return strings(asObject(asObject(object).metadata).labels)
}

/** `metadata.annotations` with everything that is not a string left out. Never throws. */
export function annotationsOf(object: unknown): Readonly<Record<string, string>> {
  return strings(asObject(asObject(object).metadata).annotations)
}

/** The member of a label or annotation map, safe for keys such as `constructor`. */
export function labelValue(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  const value = own(labels, key)
  return typeof value === 'string' ? value : undefined
}

/** `metadata.name`, else `metadata.generateName` with a `*`, else `''`. */
export function nameOf(object: unknown): string {
  const metadata = asObject(asObject(object).metadata)
  if (typeof metadata.name === 'string' && metadata.name !== '') return metadata.name
  return typeof metadata.generateName === 'string' ? `${metadata.generateName}*` : ''
}

/** `metadata.namespace`, else `''`. */
export function namespaceOf(object: unknown): string {
  const { namespace } = asObject(asObject(object).metadata)
  return typeof namespace === 'string' ? namespace : ''
}

function strings(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return NONE
  if (allStrings(value)) return value
  const kept: Record<string, string> = {}
  for (const [key, item] of Object.entries(value)) if (typeof item === 'string') kept[key] = item
  return kept
}

function allStrings(value: JsonObject): value is Readonly<Record<string, string>> {
  for (const key in value) if (typeof value[key] !== 'string') return false
  return true
}

const NONE: Readonly<Record<string, string>> = Object.freeze({})
