import type { Environment } from '@marcbachmann/cel-js'

import type { Runtime } from './runtime.ts'
import type { HostFunction } from './types.ts'
import { celValue, fromCel } from './values.ts'

/** What a call of a host function costs unless it says otherwise. */
const DEFAULT_COST = 10

/**
 * Registers functions under dotted names: every part before the last is a namespace, an object whose fields are the
 * namespaces below it. Returns the names.
 */
export function registerHostFunctions(
  environment: Environment,
  runtime: Runtime,
  functions: readonly HostFunction[],
): ReadonlySet<string> {
  const namespaces = new Map<string, Set<string>>()
  for (const { name } of functions) addNamespaces(namespaces, name.split('.').slice(0, -1))
  // The deepest first: a namespace names the types of those below it.
  const ordered = [...namespaces.keys()].sort((a, b) => b.split('.').length - a.split('.').length)
  const instances = new Map<string, object>()
  for (const path of ordered)
    instances.set(path, registerNamespace(environment, path, namespaces.get(path) ?? new Set(), instances))
  for (const definition of functions) registerFunction(environment, runtime, definition)
  return new Set(functions.map(({ name }) => name))
}

function addNamespaces(namespaces: Map<string, Set<string>>, parts: readonly string[]): void {
  for (let length = 1; length <= parts.length; length += 1) {
    const path = parts.slice(0, length).join('.')
    const below = namespaces.get(path) ?? new Set<string>()
    namespaces.set(path, below)
    const next = parts[length]
    if (next !== undefined) below.add(next)
  }
}

function registerNamespace(
  environment: Environment,
  path: string,
  below: ReadonlySet<string>,
  instances: ReadonlyMap<string, object>,
): object {
  class Namespace {
    [name: string]: unknown
  }
  const instance = new Namespace()
  const fields: Record<string, string> = {}
  for (const name of below) {
    fields[name] = typeName(`${path}.${name}`)
    instance[name] = instances.get(`${path}.${name}`)
  }
  environment.registerType(typeName(path), { ctor: Namespace, fields })
  if (!path.includes('.')) environment.registerConstant(path, typeName(path), instance)
  return instance
}

function registerFunction(environment: Environment, runtime: Runtime, definition: HostFunction): void {
  const parts = definition.name.split('.')
  const receiver = typeName(parts.slice(0, -1).join('.'))
  const signature = `${receiver}.${parts.at(-1) ?? ''}(${definition.parameters.join(', ')}): ${definition.result}`
  environment.registerFunction(
    signature,
    (_: unknown, ...values: readonly unknown[]) => {
      const args = values.map(fromCel)
      runtime.spend(definition.cost?.(args) ?? DEFAULT_COST)
      return celValue(definition.call(runtime.host, args))
    },
    { async: false },
  )
}

function typeName(path: string): string {
  return `namespace.${path}`
}
