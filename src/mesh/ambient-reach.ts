import { asObject, type JsonObject } from '../kube/json.ts'
import { namespaceOf, nameOf, type KubeObject } from '../kube/object.ts'
import { enrolmentOf } from './ambient-enrolment.ts'
import { authorizationOf, enforcedRules } from './authorization.ts'
import { text } from './fields.ts'
import { runsGateway } from './gateway-pod.ts'
import { KINDS, kindNameOf, type KindName } from './kinds.ts'
import { memo, memoByKey } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { targetRefsOf } from './policy-attachment.ts'
import { isHttpOrDetected } from './protocol.ts'
import { servicesOf, type MeshService } from './registry.ts'
import { eachSelectedWorkload } from './selection.ts'
import type { MeshSnapshot } from './snapshot.ts'
import {
  eachWorkloadOfWaypoint,
  servicesOfWaypoint,
  waypointOfService,
  type WaypointUse,
} from './waypoint-attachment.ts'
import { GATEWAY_NAME, isWaypoint, waypointsOf } from './waypoint-gateways.ts'
import { targetKind } from './waypoint-policies.ts'
import { selectWorkloads, type Workload } from './workloads.ts'
import { convertAuthorizationPolicy, type NotSentReason } from './ztunnel-policy.ts'

/** What takes a policy up; whether any of its rules ever matches there is another question. */
export type PolicyPlace =
  | { readonly kind: 'ztunnel' | 'sidecar' | 'gateway'; readonly workload: Workload }
  | {
      readonly kind: 'waypoint'
      readonly waypoint: KubeObject
      /** Undefined: for workloads that the waypoint serves by their own address. */
      readonly service: MeshService | undefined
    }

/** Why something that a policy names or selects does not take it up. */
export type PolicyObstacle =
  | { readonly reason: 'selects-nothing' }
  /** The workload is in no data plane, or is a waypoint, which selectors don't reach. */
  | { readonly reason: 'outside-mesh' | 'waypoint-by-selector'; readonly workload: Workload }
  /** The workload is captured, but ztunnel does not get the policy, or nothing refers to it. */
  | NotForZtunnel
  | ({ readonly reason: 'unsupported-target' | 'target-not-found' | 'target-in-other-namespace' } & PlacedTarget)
  /** The service is not served by a waypoint. */
  | ({ readonly reason: 'target-without-waypoint'; readonly use: WaypointUse } & PlacedTarget)
  /** The waypoint has no traffic for which anything of the policy is left. */
  | ({ readonly reason: 'waypoint-serves-nothing'; readonly waypoint: KubeObject } & PlacedTarget)

interface NotForZtunnel {
  readonly reason: 'not-for-ztunnel'
  readonly workload: Workload
  readonly cause: NotSentReason | 'empty selector' | 'kind'
}

interface PlacedTarget {
  /** `spec.targetRefs[0]`. */
  readonly field: string
}

/** The places that take up an AuthorizationPolicy or RequestAuthentication, one by one. */
export function* placesOfPolicy(snapshot: MeshSnapshot, policy: KubeObject): Generator<PolicyPlace> {
  for (const step of examine(snapshot, policy)) if ('kind' in step) yield step
}

/**
 * Why an AuthorizationPolicy or RequestAuthentication takes effect nowhere: one obstacle for each thing that it names, or for the first
 * workload it selects. Empty where anything takes it up.
 */
export function obstaclesOfPolicy(snapshot: MeshSnapshot, policy: KubeObject): readonly PolicyObstacle[] {
  const obstacles = new Map<string, PolicyObstacle>()
  for (const step of examine(snapshot, policy)) {
    if ('kind' in step) return []
    const key = 'field' in step ? step.field : step.reason
    if (!obstacles.has(key)) obstacles.set(key, step)
  }
  return [...obstacles.values()]
}

/** Does anything take the policy up? */
export function takesEffect(snapshot: MeshSnapshot, policy: KubeObject): boolean {
  return placesOfPolicy(snapshot, policy).next().done !== true
}

type Step = PolicyPlace | PolicyObstacle

function* examine(snapshot: MeshSnapshot, policy: KubeObject): Generator<Step> {
  const targets = targetRefsOf(policy)
  const isSingle = asObject(policy.spec).targetRefs === undefined
  for (const [index, target] of targets.entries()) {
    yield* examineTarget(snapshot, policy, target, isSingle ? 'spec.targetRef' : `spec.targetRefs[${index}]`)
  }
  if (targets.length > 0) return
  let selects = false
  const cause = ztunnelObstacle(snapshot, policy)
  for (const workload of eachSelectedWorkload(snapshot, policy)) {
    selects = true
    yield examineWorkload(snapshot, workload, cause)
  }
  if (!selects) yield { reason: 'selects-nothing' }
}

/** `cause`: why ztunnel does not enforce the policy; undefined: it does. */
function examineWorkload(snapshot: MeshSnapshot, workload: Workload, cause: NotForZtunnel['cause'] | undefined): Step {
  if (runsGateway(workload.object)) return { kind: 'gateway', workload }
  const { mode } = enrolmentOf(snapshot, workload)
  switch (mode) {
    case 'sidecar':
      return { kind: 'sidecar', workload }
    case 'waypoint':
      return { reason: 'waypoint-by-selector', workload }
    case 'none':
      return { reason: 'outside-mesh', workload }
    case 'ambient':
      return cause === undefined ? { kind: 'ztunnel', workload } : { reason: 'not-for-ztunnel', workload, cause }
  }
}

function ztunnelObstacle(snapshot: MeshSnapshot, policy: KubeObject): NotForZtunnel['cause'] | undefined {
  if (kindNameOf(policy) !== KINDS.authorizationPolicy) return 'kind'
  const converted = convertAuthorizationPolicy(snapshot, policy)
  if (typeof converted === 'string') return converted
  const labels = asObject(asObject(asObject(policy.spec).selector).matchLabels)
  return converted.scope === 'workload' && Object.keys(labels).length === 0 ? 'empty selector' : undefined
}

function* examineTarget(
  snapshot: MeshSnapshot,
  policy: KubeObject,
  target: JsonObject,
  field: string,
): Generator<Step> {
  const namespace = namespaceOf(policy)
  const name = text(target.name) ?? ''
  const kind = targetKind(target)
  if (kind === undefined) {
    yield { reason: 'unsupported-target', field }
  } else if (kind === 'GatewayClass') {
    yield* examineClass(snapshot, policy, name, field)
  } else if (![undefined, '', namespace].includes(text(target.namespace))) {
    yield { reason: 'target-in-other-namespace', field }
  } else if (kind === 'Gateway') {
    const gateway = snapshot.get(KINDS.k8sGateway, namespace, name)
    if (gateway === undefined) yield { reason: 'target-not-found', field }
    else if (isWaypoint(snapshot, gateway)) yield* examineWaypoint(snapshot, policy, gateway, field)
    else yield* gatewayPlaces(snapshot, gateway)
  } else {
    const kindName: KindName = kind === 'Service' ? KINDS.service : KINDS.serviceEntry
    const service = snapshot.get(kindName, namespace, name)
    if (service === undefined) yield { reason: 'target-not-found', field }
    else yield* examineService(snapshot, policy, service, field)
  }
}

function* examineClass(snapshot: MeshSnapshot, policy: KubeObject, name: string, field: string): Generator<Step> {
  if (name !== 'istio-waypoint') yield { reason: 'unsupported-target', field }
  else if (namespaceOf(policy) !== meshConfigOf(snapshot).rootNamespace) {
    yield { reason: 'target-in-other-namespace', field }
  } else {
    const waypoints = waypointsOf(snapshot)
    if (waypoints.length === 0) yield { reason: 'target-not-found', field }
    for (const waypoint of waypoints) yield* examineWaypoint(snapshot, policy, waypoint, field)
  }
}

function* gatewayPlaces(snapshot: MeshSnapshot, gateway: KubeObject): Generator<Step> {
  const pods = selectWorkloads(snapshot, namespaceOf(gateway), { [GATEWAY_NAME]: nameOf(gateway) })
  if (pods.length === 0) yield { reason: 'selects-nothing' }
  for (const workload of pods) yield { kind: 'gateway', workload }
}

function* examineService(
  snapshot: MeshSnapshot,
  policy: KubeObject,
  object: KubeObject,
  field: string,
): Generator<Step> {
  const use = waypointOfService(snapshot, object)
  const { waypoint } = use
  if (waypoint === undefined) {
    yield { reason: 'target-without-waypoint', use, field }
    return
  }
  const served = servicesOf(object).filter((service) => servesAnything(snapshot, policy, service))
  if (served.length === 0) yield { reason: 'waypoint-serves-nothing', waypoint, field }
  for (const service of served) yield { kind: 'waypoint', waypoint, service }
}

function* examineWaypoint(
  snapshot: MeshSnapshot,
  policy: KubeObject,
  waypoint: KubeObject,
  field: string,
): Generator<Step> {
  const served = servicesOfWaypoint(snapshot, waypoint).filter((service) => servesAnything(snapshot, policy, service))
  for (const service of served) yield { kind: 'waypoint', waypoint, service }
  const isDirect = isLeft(snapshot, policy, 'http') && eachWorkloadOfWaypoint(snapshot, waypoint).next().done !== true
  if (isDirect) yield { kind: 'waypoint', waypoint, service: undefined }
  if (served.length === 0 && !isDirect) yield { reason: 'waypoint-serves-nothing', waypoint, field }
}

function servesAnything(snapshot: MeshSnapshot, policy: KubeObject, { ports }: MeshService): boolean {
  return ports.some(
    ({ protocol }) => protocol !== 'udp' && isLeft(snapshot, policy, isHttpOrDetected(protocol) ? 'http' : 'tcp'),
  )
}

/** Is anything of the policy left where traffic is of this kind? */
function isLeft(snapshot: MeshSnapshot, policy: KubeObject, protocol: 'http' | 'tcp'): boolean {
  if (kindNameOf(policy) !== KINDS.authorizationPolicy) return protocol === 'http'
  return isAnyRuleLeft(snapshot)(policy)(protocol)
}

/** Asked for each service of a waypoint. */
const isAnyRuleLeft = memo((snapshot: MeshSnapshot) =>
  memo((policy: KubeObject) =>
    memoByKey(String, (protocol: 'http' | 'tcp') => {
      const rules = enforcedRules(snapshot, authorizationOf([policy]), protocol)
      return Object.values(rules).some((list) => list.length > 0)
    }),
  ),
)
