import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { labelsOf, labelValue, nameOf, type KubeObject } from '../kube/object.ts'
import { matchesLabelSelector } from '../kube/selector.ts'
import { parseYamlDocuments } from '../kube/yaml-document.ts'
import { blocks, text } from './fields.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** What injection looks at: a Pod or a pod template, and the namespace it is for. */
export interface PodShape {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: JsonObject
}

/** Will a pod get a sidecar, of which revision's injector, and what decides that. */
export interface Injection {
  readonly injected: boolean
  /** Of the injector that takes the pod; undefined where none does. */
  readonly revision: string | undefined
  readonly reason: InjectionReason
}

export type InjectionReason =
  | 'host-network'
  | 'system-namespace'
  | 'namespace-disabled'
  | 'no-injector-selects'
  | 'pod-label'
  | 'pod-annotation'
  | 'never-inject-selector'
  | 'always-inject-selector'
  | 'injector-policy'

/** Will this pod get a sidecar when it is created? */
export function isInjected(snapshot: MeshSnapshot, pod: PodShape): boolean {
  return foretellInjection(snapshot, pod).injected
}

/**
 * Whether a pod gets a sidecar when it is created: first whether an injector's webhook selects it, by the webhooks of the
 * mesh or, where it holds none, by those of a default installation in which every named revision exists; then whether
 * the injector agrees. istio: mutatingwebhook.yaml of the istiod chart, kube/inject/inject.go injectRequired.
 */
export function foretellInjection(snapshot: MeshSnapshot, pod: PodShape): Injection {
  const namespaceLabels = { ...labelsOf(snapshot.namespace(pod.namespace)), [NAMESPACE_NAME]: pod.namespace }
  const revision = injectingRevision(snapshot, namespaceLabels, pod.labels)
  if (revision === undefined) {
    const legacy = labelValue(namespaceLabels, INJECTION)
    const isDisabled = legacy !== undefined && legacy !== 'enabled'
    if (isDisabled) return refused('namespace-disabled', undefined)
    const isOptedOut = labelValue(pod.labels, INJECT) === 'false'
    return refused(isOptedOut ? 'pod-label' : 'no-injector-selects', undefined)
  }
  if (pod.spec.hostNetwork === true) return refused('host-network', revision)
  if (SYSTEM_NAMESPACES.has(pod.namespace)) return refused('system-namespace', revision)
  return consultInjector(injectorConfig(snapshot, revision), pod, revision)
}

/** The revision of the injector whose webhook takes the pod. istio: mutatingwebhook.yaml. */
export function injectingRevision(
  snapshot: MeshSnapshot,
  namespaceLabels: Readonly<Record<string, string>>,
  podLabels: Readonly<Record<string, string>>,
): string | undefined {
  const injectors = injectorWebhooks(snapshot.all(KINDS.mutatingWebhook))
  if (injectors.length === 0) return defaultRevision(namespaceLabels, podLabels)
  return injectors.find(
    ({ webhook }) =>
      matchesLabelSelector(webhook.namespaceSelector, namespaceLabels) &&
      matchesLabelSelector(webhook.objectSelector, podLabels),
  )?.revision
}

/** What the webhooks of a default installation select. */
function defaultRevision(
  namespaceLabels: Readonly<Record<string, string>>,
  podLabels: Readonly<Record<string, string>>,
): string | undefined {
  const legacy = labelValue(namespaceLabels, INJECTION)
  const revision = labelValue(namespaceLabels, REVISION)
  const choice = labelValue(podLabels, INJECT)
  const podRevision = labelValue(podLabels, REVISION)
  if (legacy !== undefined) return legacy === 'enabled' && choice !== 'false' ? DEFAULT_REVISION : undefined
  if (choice === 'false') return undefined
  if (revision !== undefined) return revision
  if (podRevision !== undefined) return podRevision
  return choice === 'true' ? DEFAULT_REVISION : undefined
}

/** The revisions and tags that an injector of the mesh answers to; none where the mesh holds no injector. */
export function knownRevisions(snapshot: MeshSnapshot): ReadonlySet<string> {
  const injectors = snapshot.all(KINDS.mutatingWebhook).filter((each) => injectorWebhooks([each]).length > 0)
  return new Set(
    injectors.flatMap((injector) => {
      const labels = labelsOf(injector)
      return [labelValue(labels, REVISION) ?? DEFAULT_REVISION, labelValue(labels, 'istio.io/tag') ?? []].flat()
    }),
  )
}

interface InjectorWebhook {
  readonly revision: string
  readonly webhook: JsonObject
}

const injectorWebhooks: (configurations: readonly KubeObject[]) => readonly InjectorWebhook[] = memo((configurations) =>
  configurations.flatMap((configuration) => {
    const revision = labelValue(labelsOf(configuration), REVISION) ?? DEFAULT_REVISION
    return blocks(configuration.webhooks)
      .filter((webhook) => text(webhook.name)?.endsWith('sidecar-injector.istio.io') === true)
      .map((webhook) => ({ revision: labelValue(labelsOf(configuration), 'istio.io/tag') ?? revision, webhook }))
  }),
)

function consultInjector(config: JsonObject, pod: PodShape, revision: string): Injection {
  const label = labelValue(pod.labels, INJECT)
  const choice = label ?? labelValue(pod.annotations, INJECT)
  const reason = label === undefined ? 'pod-annotation' : 'pod-label'
  if (choice === 'true') return { injected: true, revision, reason }
  if (choice === 'false') return refused(reason, revision)
  const selects = (selector: Json): boolean =>
    isObject(selector) && Object.keys(selector).length > 0 && matchesLabelSelector(selector, pod.labels)
  if (asList(config.neverInjectSelector).some(selects)) return refused('never-inject-selector', revision)
  if (asList(config.alwaysInjectSelector).some(selects)) {
    return { injected: true, revision, reason: 'always-inject-selector' }
  }
  return { injected: config.policy !== 'disabled', revision, reason: 'injector-policy' }
}

function refused(reason: InjectionReason, revision: string | undefined): Injection {
  return { injected: false, revision, reason }
}

/** The injector's own settings, from its ConfigMap; empty where there is none or it can't be read. */
function injectorConfig(snapshot: MeshSnapshot, revision: string): JsonObject {
  const maps = snapshot.inNamespace(KINDS.configMap, snapshot.istioNamespace)
  const own = maps.find((map) => nameOf(map) === `${INJECTOR_MAP}-${revision}`)
  const map = own ?? maps.find((candidate) => nameOf(candidate) === INJECTOR_MAP)
  return map === undefined ? {} : readInjectorConfig(map)
}

const readInjectorConfig = memo((map: KubeObject): JsonObject => {
  const config = text(asObject(map.data).config)
  const [first] = config === undefined ? [] : parseYamlDocuments(config)
  return first?.ok === true ? asObject(first.document.value) : {}
})

const INJECTION = 'istio-injection'
const REVISION = 'istio.io/rev'
const INJECT = 'sidecar.istio.io/inject'
const NAMESPACE_NAME = 'kubernetes.io/metadata.name'
const DEFAULT_REVISION = 'default'
const INJECTOR_MAP = 'istio-sidecar-injector'
/** Namespaces of Kubernetes itself, which Istio leaves alone. istio: kube/inject/initializer.go IgnoredNamespaces. */
export const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  'local-path-storage',
])
