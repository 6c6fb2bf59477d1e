import type { CoreV1Api, V1Container, V1EnvFromSource, V1EnvVar, V1Pod } from '@kubernetes/client-node'

import { fieldValue, resourceValue, type PodFacts } from './field-reference.ts'
import type { Image } from './image.ts'
import { configMapData, optional, secretData } from './volume-files.ts'

export interface EnvironmentOptions {
  readonly core: CoreV1Api
  readonly pod: V1Pod
  readonly container: V1Container
  readonly image: Image
  readonly facts: PodFacts
  /** Where the containers find the API server. */
  readonly apiServer: { readonly host: string; readonly port: number }
}

export type Environment = Readonly<Record<string, string>>

/** The environment of a container. Rejects while a Secret, a ConfigMap or a key that is not optional is missing. */
export async function containerEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { pod, container, image, apiServer } = options
  const environment: Record<string, string> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOSTNAME: pod.metadata?.name ?? '',
    ...image.environment,
    KUBERNETES_SERVICE_HOST: apiServer.host,
    KUBERNETES_SERVICE_PORT: String(apiServer.port),
    KUBERNETES_SERVICE_PORT_HTTPS: String(apiServer.port),
  }
  for (const source of container.envFrom ?? []) Object.assign(environment, await valuesFrom(source, options))
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, options)
    if (value !== undefined) environment[variable.name] = expand(value, environment)
  }
  return environment
}

/** Replaces `$(NAME)` by the variable's value where there is one, and `$$` by `$`. kubernetes: third_party/forked/golang/expansion */
export function expand(text: string, environment: Environment): string {
  return text.replace(/\$(?:\$|\(([^()]*)\))/g, (match, name: string | undefined) =>
    name === undefined ? '$' : (environment[name] ?? match),
  )
}

async function valuesFrom({ prefix = '', secretRef, configMapRef }: V1EnvFromSource, options: EnvironmentOptions) {
  const { core, pod } = options
  const namespace = pod.metadata?.namespace ?? ''
  const name = (secretRef ?? configMapRef)?.name ?? ''
  const data =
    secretRef === undefined
      ? configMapData(await optional(configMapRef?.optional, () => core.readNamespacedConfigMap({ namespace, name })))
      : secretData(await optional(secretRef.optional, () => core.readNamespacedSecret({ namespace, name })))
  return Object.fromEntries([...data].map(([key, value]) => [`${prefix}${key}`, value.toString()]))
}

async function valueOf({ value, valueFrom }: V1EnvVar, options: EnvironmentOptions): Promise<string | undefined> {
  if (valueFrom === undefined) return value ?? ''
  const { core, pod, container, facts } = options
  const namespace = pod.metadata?.namespace ?? ''
  const { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef } = valueFrom
  if (fieldRef !== undefined) return fieldValue(fieldRef, pod, facts)
  if (resourceFieldRef !== undefined) return resourceValue(resourceFieldRef, container)
  if (secretKeyRef !== undefined) {
    const { name = '' } = secretKeyRef
    const secret = await optional(secretKeyRef.optional, () => core.readNamespacedSecret({ namespace, name }))
    return keyValue(secretData(secret), secretKeyRef, `secret ${name}`)
  }
  if (configMapKeyRef !== undefined) {
    const { name = '' } = configMapKeyRef
    const configMap = await optional(configMapKeyRef.optional, () => core.readNamespacedConfigMap({ namespace, name }))
    return keyValue(configMapData(configMap), configMapKeyRef, `configmap ${name}`)
  }
  throw new Error(`valueFrom with ${Object.keys(valueFrom).join(', ')} is not supported`)
}

function keyValue(
  data: ReadonlyMap<string, Buffer>,
  { key, optional }: { readonly key: string; readonly optional?: boolean },
  owner: string,
): string | undefined {
  const value = data.get(key)
  if (value === undefined && optional !== true) throw new Error(`couldn't find key ${key} in ${owner}`)
  return value?.toString()
}
