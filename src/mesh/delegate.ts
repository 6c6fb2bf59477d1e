import { asObject, own, type Json, type JsonObject } from '../kube/json.ts'
import { block, blocks, number, text, texts } from './fields.ts'
import type { RouteEntry } from './virtual-service.ts'

/**
 * The routes of a delegate in the place of the entry that names it. What the delegate leaves out comes from that entry; a route
 * whose conditions are no part of the entry's is dropped. istio: model/virtualservice.go MergeHTTPRoutes.
 */
export function delegateRoutes(root: RouteEntry, delegate: readonly RouteEntry[]): readonly RouteEntry[] {
  return delegate.flatMap((entry) => {
    const match = mergeMatches(blocks(root.spec.match), blocks(entry.spec.match))
    if (match === undefined) return []
    const merged: Record<string, Json | undefined> = { ...entry.spec, match, name: joinNames(root.spec, entry.spec) }
    for (const field of INHERITED) merged[field] ??= root.spec[field]
    return [{ ...entry, spec: merged }]
  })
}

/** All pairs of conditions that fit together; undefined where a condition of the delegate fits none of the root's. */
function mergeMatches(root: readonly JsonObject[], delegate: readonly JsonObject[]): readonly JsonObject[] | undefined {
  if (root.length === 0) return delegate
  if (delegate.length === 0) return root
  const merged: JsonObject[] = []
  for (const inner of delegate) {
    const fitting = root.filter((outer) => !conflict(outer, inner))
    if (fitting.length === 0) return undefined
    for (const outer of fitting) merged.push(mergeMatch(outer, inner))
  }
  return merged
}

function mergeMatch(root: JsonObject, delegate: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...root, ...delegate, name: joinNames(root, delegate) }
  for (const field of MAPS) {
    if (root[field] !== undefined) merged[field] = { ...asObject(root[field]), ...asObject(delegate[field]) }
  }
  if (texts(delegate.gateways).length === 0) merged.gateways = root.gateways
  merged.port = number(delegate.port) || root.port
  return merged
}

/** Can nothing satisfy both, or is the delegate's condition wider than the root's? istio: hasConflict. */
function conflict(root: JsonObject, leaf: JsonObject): boolean {
  if (STRINGS.some((field) => stringConflict(root[field], leaf[field]))) return true
  for (const field of STRING_MAPS) {
    for (const [key, value] of Object.entries(asObject(leaf[field]))) {
      if (stringConflict(own(asObject(root[field]), key), value)) return true
    }
  }
  if ((root.ignoreUriCase === true) !== (leaf.ignoreUriCase === true)) return true
  const [rootPort, leafPort] = [number(root.port) ?? 0, number(leaf.port) ?? 0]
  if (rootPort > 0 && leafPort > 0 && rootPort !== leafPort) return true
  if (text(root.sourceNamespace) && leaf.sourceNamespace !== root.sourceNamespace) return true
  const rootLabels = asObject(root.sourceLabels)
  for (const [key, value] of Object.entries(asObject(leaf.sourceLabels))) {
    const required = own(rootLabels, key)
    if (required !== undefined && required !== value) return true
  }
  return gatewaysConflict(texts(root.gateways), texts(leaf.gateways))
}

function gatewaysConflict(root: readonly string[], leaf: readonly string[]): boolean {
  if (root.length === 0 || leaf.length === 0) return false
  return root.length < leaf.length || !leaf.every((name) => root.includes(name))
}

/** istio: stringMatchConflict. */
function stringConflict(rootValue: Json | undefined, leafValue: Json | undefined): boolean {
  const root = block(rootValue)
  const leaf = block(leafValue)
  if (root === undefined || leaf === undefined) return false
  const leafIsSet = Boolean(text(leaf.regex) || text(leaf.prefix) || text(leaf.exact))
  const rootIsSet = Boolean(text(root.regex) || text(root.prefix) || text(root.exact))
  if (text(root.regex) && leafIsSet) return true
  if (text(leaf.regex) && rootIsSet) return true
  if (text(root.exact)) return Boolean(text(leaf.prefix)) || leaf.exact !== root.exact
  const prefix = text(root.prefix)
  if (!prefix) return true
  if (text(leaf.prefix)) return !String(text(leaf.prefix)).startsWith(prefix)
  if (text(leaf.exact)) return !String(text(leaf.exact)).startsWith(prefix)
  return true
}

function joinNames(root: JsonObject, delegate: JsonObject): string {
  return [text(root.name), text(delegate.name)].filter(Boolean).join('-')
}

const INHERITED = [
  'rewrite',
  'directResponse',
  'timeout',
  'retries',
  'fault',
  'mirror',
  'mirrorPercent',
  'mirrorPercentage',
  'corsPolicy',
  'mirrors',
  'headers',
] as const
const STRINGS = ['uri', 'scheme', 'method', 'authority'] as const
const STRING_MAPS = ['headers', 'withoutHeaders', 'queryParams'] as const
const MAPS = [...STRING_MAPS, 'sourceLabels'] as const
