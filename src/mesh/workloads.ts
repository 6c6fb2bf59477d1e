import { asList, asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { annotationsOf, labelsOf, labelValue, nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { blocks, number, text, textMap } from './fields.ts'
import { podsByLabel } from './indexes.ts'
import { isInjected } from './injection.ts'
import { KINDS, kindNameOf, type KindName } from './kinds.ts'
import { memo } from './memo.ts'
import { podTemplateOf, TEMPLATE_KINDS } from './pod-template.ts'
import type { MeshSnapshot } from './snapshot.ts'

/**
 * Something that runs: a Pod, a machine outside of Kubernetes, or the template of those where the mesh does not hold
 * them, which is how a workload looks in files.
 */
export interface Workload {
  readonly namespace: string
  readonly name: string
  /** The Pod or WorkloadEntry, or the object with the template. */
  readonly object: KubeObject
  readonly form: 'pod' | 'pod-template' | 'machine' | 'machine-template'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly serviceAccount: string
  readonly ports: readonly ContainerPort[]
  /** Where it can be reached; none of a template. */
  readonly addresses: readonly string[]
  /** The pod's spec, or the WorkloadEntry's. */
  readonly spec: JsonObject
}

export interface ContainerPort {
  readonly name: string
  readonly number: number
  readonly protocol: string
}

/** The kinds whose objects are workloads. */
export const WORKLOAD_KINDS: readonly KindName[] = [
  KINDS.pod,
  KINDS.workloadEntry,
  ...TEMPLATE_KINDS,
  KINDS.workloadGroup,
]

/** The workload that an object is; undefined for an object of another kind. Never throws. */
export const workloadOf: (object: KubeObject) => Workload | undefined = memo((object) => {
  const kind = kindNameOf(object)
  if (kind === KINDS.pod) return podWorkload(object, object, 'pod')
  if (kind === KINDS.workloadEntry) return machine(object)
  if (kind === KINDS.workloadGroup) return machineTemplate(object)
  const template = podTemplateOf(object)
  return template === undefined ? undefined : podWorkload(object, template, 'pod-template')
})

/** What runs in a namespace: pods and machines by name, then templates that have none. The same list for the same pods alone. */
export function workloadsIn(snapshot: MeshSnapshot, namespace: string): readonly Workload[] {
  const pods = snapshot.inNamespace(KINDS.pod, namespace)
  const machines = snapshot.inNamespace(KINDS.workloadEntry, namespace)
  const others = TEMPLATES.flatMap((kind) => {
    const objects = snapshot.inNamespace(kind, namespace)
    if (objects.length === 0) return []
    return workloads(objects).filter((template) => !isRepresented(template, pods, machines))
  })
  if (others.length === 0 && machines.length === 0) return runningPods(pods)
  return [...runningPods(pods), ...workloads(machines), ...others]
}

/** The namespaces where anything runs, in order. */
export function namespacesWithWorkloads(snapshot: MeshSnapshot): readonly string[] {
  return [...new Set(WORKLOAD_KINDS.flatMap((kind) => snapshot.namespacesWith(kind)))].sort()
}

/** Everything that runs, by namespace. */
export function allWorkloads(snapshot: MeshSnapshot): readonly Workload[] {
  return namespacesWithWorkloads(snapshot).flatMap((namespace) => workloadsIn(snapshot, namespace))
}

/** The workloads of a namespace that have all these labels; `{}` selects none, as in a Service. */
export function selectWorkloads(
  snapshot: MeshSnapshot,
  namespace: string,
  selector: Readonly<Record<string, string>>,
): readonly Workload[] {
  const wanted = Object.entries(selector)
  const [first] = wanted
  if (first === undefined) return []
  const all = workloadsIn(snapshot, namespace)
  const isPodsOnly = all === runningPods(snapshot.inNamespace(KINDS.pod, namespace))
  const candidates = isPodsOnly ? runningPods(snapshot.findIn(podsByLabel, first.join('='), namespace)) : all
  return candidates.filter(({ labels }) => wanted.every(([key, value]) => labelValue(labels, key) === value))
}

/**
 * Does the workload have a sidecar? A Pod that was admitted says so by the label that injection left on it, a machine by that
 * label or its service account; a WorkloadGroup is for machines with one; of a pod yet to be admitted, injection is foretold.
 * istio: serviceregistry/kube/conversion.go PodTLSMode, serviceentry/conversion.go getTLSModeFromWorkloadEntry.
 */
export function hasSidecar(snapshot: MeshSnapshot, workload: Workload): boolean {
  const label = labelValue(workload.labels, TLS_MODE)
  if (label !== undefined) return label === 'istio'
  if (workload.form === 'machine') return text(workload.spec.serviceAccount) !== undefined
  if (workload.form === 'machine-template') return true
  if (workload.form === 'pod' && isAdmitted(workload.object)) return false
  return isInjected(snapshot, workload)
}

/** The number behind a port of the workload, a name being looked up. istio: kube/controller/util.go FindPort. */
export function resolvePort(workload: Workload, target: number | string): number | undefined {
  if (typeof target === 'number') return target
  return workload.ports.find((port) => port.name === target && port.protocol === 'TCP')?.number
}

function podWorkload(object: KubeObject, pod: JsonObject | KubeObject, form: Workload['form']): Workload {
  const spec = asObject(asObject(pod).spec)
  const status = asObject(asObject(pod).status)
  const addresses = blocks(status.podIPs).flatMap((entry) => text(entry.ip) ?? [])
  return {
    namespace: namespaceOf(object),
    name: nameOf(object),
    object,
    form,
    labels: labelsOf(pod),
    annotations: annotationsOf(pod),
    serviceAccount: text(spec.serviceAccountName) ?? text(spec.serviceAccount) ?? 'default',
    ports: containerPorts(spec),
    addresses: addresses.length > 0 ? addresses : [text(status.podIP) ?? []].flat(),
    spec,
  }
}

/** istio: serviceregistry/serviceentry/conversion.go ConvertWorkloadEntry. */
function machine(object: KubeObject): Workload {
  const spec = asObject(object.spec)
  return {
    ...machineParts(object, spec, { ...textMap(spec.labels), ...labelsOf(object) }),
    form: 'machine',
    annotations: annotationsOf(object),
    addresses: [text(spec.address) ?? []].flat(),
  }
}

function machineTemplate(object: KubeObject): Workload {
  const spec = asObject(object.spec)
  const metadata = asObject(spec.metadata)
  const template = asObject(spec.template)
  return {
    ...machineParts(object, template, { ...textMap(template.labels), ...textMap(metadata.labels) }),
    form: 'machine-template',
    annotations: textMap(metadata.annotations),
    addresses: [],
  }
}

function machineParts(object: KubeObject, spec: JsonObject, labels: Readonly<Record<string, string>>) {
  const ports = Object.entries(asObject(spec.ports)).flatMap(([name, value]): readonly ContainerPort[] =>
    typeof value === 'number' ? [{ name, number: value, protocol: 'TCP' }] : [],
  )
  const serviceAccount = text(spec.serviceAccount) ?? 'default'
  return { namespace: namespaceOf(object), name: nameOf(object), object, labels, serviceAccount, ports, spec }
}

function containerPorts(spec: JsonObject): readonly ContainerPort[] {
  const containers = [...asList(spec.initContainers).filter(keepsRunning), ...asList(spec.containers)]
  return containers.flatMap((container) =>
    blocks(asObject(container).ports).flatMap((port): readonly ContainerPort[] => {
      const value = number(port.containerPort)
      if (value === undefined) return []
      return [{ name: text(port.name) ?? '', number: value, protocol: text(port.protocol) ?? 'TCP' }]
    }),
  )
}

/** An init container that native sidecars are. */
function keepsRunning(container: Json): boolean {
  return isObject(container) && container.restartPolicy === 'Always'
}

const workloads: (objects: readonly KubeObject[]) => readonly Workload[] = memo((objects) =>
  objects.flatMap((object) => workloadOf(object) ?? []),
)

const runningPods: (pods: readonly KubeObject[]) => readonly Workload[] = memo((pods) =>
  pods.flatMap((pod) => {
    const { phase } = asObject(pod.status)
    // a pod that has ended is nobody's endpoint any more
    return phase === 'Succeeded' || phase === 'Failed' ? [] : (workloadOf(pod) ?? [])
  }),
)

/** Is there something else that stands for what this template makes: that itself, or the template's own controller? */
function isRepresented(template: Workload, pods: readonly KubeObject[], machines: readonly KubeObject[]): boolean {
  const { object, name } = template
  const isControlled = blocks(asObject(object.metadata).ownerReferences).some((owner) => owner.controller === true)
  if (isControlled) return true
  return template.form === 'machine-template'
    ? groupsOf(machines).has(name)
    : ownersOf(pods).has(`${object.kind}/${name}`)
}

const groupsOf: (machines: readonly KubeObject[]) => ReadonlySet<string> = memo(
  (machines) =>
    new Set(machines.flatMap((entry) => labelValue(annotationsOf(entry), 'istio.io/autoRegistrationGroup') ?? [])),
)

/** The controllers that pods name as their owners, as `Kind/name`, with the Deployments and Rollouts behind ReplicaSets. */
const ownersOf: (pods: readonly KubeObject[]) => ReadonlySet<string> = memo((pods) => {
  const owners = new Set<string>()
  for (const pod of pods) {
    const labels = labelsOf(pod)
    const hash = labelValue(labels, 'pod-template-hash') ?? labelValue(labels, 'rollouts-pod-template-hash')
    for (const owner of blocks(asObject(pod.metadata).ownerReferences)) {
      const name = text(owner.name) ?? ''
      owners.add(`${text(owner.kind) ?? ''}/${name}`)
      // a Job of a CronJob is called after it and the minute it started
      if (owner.kind === 'Job') owners.add(`CronJob/${name.replace(/-\d+$/, '')}`)
      if (hash === undefined || !name.endsWith(`-${hash}`)) continue
      const outer = name.slice(0, -hash.length - 1)
      owners.add(`Deployment/${outer}`).add(`Rollout/${outer}`)
    }
  }
  return owners
})

/** True for a Pod that went through admission: the API server gave it an identity, or a kubelet a status. */
function isAdmitted(pod: KubeObject): boolean {
  return asObject(pod.metadata).uid !== undefined || text(asObject(pod.status).phase) !== undefined
}

const TLS_MODE = 'security.istio.io/tlsMode'
const TEMPLATES: readonly KindName[] = [...TEMPLATE_KINDS, KINDS.workloadGroup]
