import type { CoreV1Api, V1ConfigMap, V1KeyToPath, V1Pod, V1Secret, V1Volume } from '@kubernetes/client-node'
import type { V1DownwardAPIVolumeFile, V1VolumeProjection } from '@kubernetes/client-node'

import { hasStatus } from './api-error.ts'
import { fieldValue, resourceValue, type PodFacts } from './field-reference.ts'
import type { ServiceAccountTokens } from './service-account-token.ts'
import type { VolumeFile, VolumeFiles } from './atomic-writer.ts'

export interface VolumeContext {
  readonly core: CoreV1Api
  readonly pod: V1Pod
  readonly facts: PodFacts
  readonly tokens: ServiceAccountTokens
}

/** The default of every volume's `defaultMode`. */
const readable = 0o644

/**
 * The files that a Secret, ConfigMap, downward API or projected volume shows right now; undefined for a volume of another
 * kind. Rejects while an object that is not optional, or a key of it, is missing.
 */
export async function volumeFiles(volume: V1Volume, context: VolumeContext): Promise<VolumeFiles | undefined> {
  const { secret, configMap, downwardAPI, projected } = volume
  if (secret !== undefined) {
    const { secretName: name = '', defaultMode, ...rest } = secret
    return new Map(await projectedFiles({ secret: { name, ...rest } }, context, defaultMode ?? readable))
  }
  if (configMap !== undefined)
    return new Map(await projectedFiles({ configMap }, context, configMap.defaultMode ?? readable))
  if (downwardAPI !== undefined) {
    return new Map(await projectedFiles({ downwardAPI }, context, downwardAPI.defaultMode ?? readable))
  }
  if (projected === undefined) return undefined
  const files = new Map<string, VolumeFile>()
  for (const source of projected.sources ?? []) {
    for (const [path, file] of await projectedFiles(source, context, projected.defaultMode ?? readable))
      files.set(path, file)
  }
  return files
}

type Entries = readonly (readonly [path: string, file: VolumeFile])[]

async function projectedFiles(source: V1VolumeProjection, context: VolumeContext, mode: number): Promise<Entries> {
  const { core, pod, tokens, facts } = context
  const namespace = pod.metadata?.namespace ?? ''
  const { secret, configMap, downwardAPI, serviceAccountToken } = source
  if (secret !== undefined) {
    const name = secret.name ?? ''
    const found = await optional(secret.optional, () => core.readNamespacedSecret({ namespace, name }))
    return keyFiles({ keys: secretData(found), items: secret.items, mode, optional: secret.optional ?? false })
  }
  if (configMap !== undefined) {
    const name = configMap.name ?? ''
    const found = await optional(configMap.optional, () => core.readNamespacedConfigMap({ namespace, name }))
    return keyFiles({ keys: configMapData(found), items: configMap.items, mode, optional: configMap.optional ?? false })
  }
  if (downwardAPI !== undefined) return (downwardAPI.items ?? []).map((item) => downwardFile(item, pod, facts, mode))
  if (serviceAccountToken !== undefined) {
    const { path, audience, expirationSeconds } = serviceAccountToken
    const token = await tokens.current({ pod, audience, expirationSeconds })
    return [[path, { content: Buffer.from(token), mode }]]
  }
  throw new Error(`a projected volume with ${Object.keys(source).join(', ')} is not supported`)
}

/** The object, or undefined when it is optional and absent. */
export async function optional<T>(isOptional: boolean | undefined, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isOptional === true && hasStatus(error, 404)) return undefined
    throw error
  }
}

export function secretData(secret: V1Secret | undefined): ReadonlyMap<string, Buffer> {
  return new Map(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
}

export function configMapData(configMap: V1ConfigMap | undefined): ReadonlyMap<string, Buffer> {
  const texts = Object.entries(configMap?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const)
  const binaries = Object.entries(configMap?.binaryData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'base64')] as const,
  )
  return new Map([...texts, ...binaries])
}

interface KeyFiles {
  readonly keys: ReadonlyMap<string, Buffer>
  readonly items: readonly V1KeyToPath[] | undefined
  readonly mode: number
  readonly optional: boolean
}

function keyFiles({ keys, items, mode, optional }: KeyFiles): Entries {
  if (items === undefined) return [...keys].map(([key, content]) => [key, { content, mode }])
  return items.flatMap((item) => {
    const content = keys.get(item.key)
    if (content !== undefined) return [[item.path, { content, mode: item.mode ?? mode }] as const]
    if (optional) return []
    throw new Error(`references non-existent key: ${item.key}`)
  })
}

function downwardFile(
  item: V1DownwardAPIVolumeFile,
  pod: V1Pod,
  facts: PodFacts,
  mode: number,
): readonly [string, VolumeFile] {
  return [item.path, { content: Buffer.from(downwardValue(item, pod, facts)), mode: item.mode ?? mode }]
}

function downwardValue(item: V1DownwardAPIVolumeFile, pod: V1Pod, facts: PodFacts): string {
  if (item.fieldRef !== undefined) return fieldValue(item.fieldRef, pod, facts)
  const container = pod.spec?.containers.find(({ name }) => name === item.resourceFieldRef?.containerName)
  if (item.resourceFieldRef === undefined || container === undefined) {
    throw new Error(`the downward API file ${item.path} refers to nothing`)
  }
  return resourceValue(item.resourceFieldRef, container)
}
