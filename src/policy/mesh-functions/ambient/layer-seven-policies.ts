import { obstaclesOfPolicy } from '../../../mesh/ambient-reach.ts'
import { isAmbientService } from '../../../mesh/ambient-services.ts'
import { actionOf } from '../../../mesh/authorization.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { targetRefsOf } from '../../../mesh/policy-attachment.ts'
import { servicesOf } from '../../../mesh/registry.ts'
import { eachSelectedWorkload } from '../../../mesh/selection.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { waypointsOf } from '../../../mesh/waypoint-gateways.ts'
import type { Workload } from '../../../mesh/workloads.ts'
import { effectOfRule } from '../../../mesh/ztunnel-match.ts'
import { convertAuthorizationPolicy, unsupportedAttributes } from '../../../mesh/ztunnel-policy.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { text } from '../../../mesh/fields.ts'
import { nameOf, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { knowsServicesIn } from '../known-services.ts'
import type { MeshContext } from '../mesh-function.ts'
import { capturedWorkloads, waypointIn } from './waypoints.ts'

/** A condition on requests, and where it is written. */
interface RequestCondition {
  readonly name: string
  readonly field: string
}

/** A policy about requests for workloads that only ztunnel guards, which knows connections. */
export const withoutWaypoint: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (targetRefsOf(object).length > 0) return targetsWithoutWaypoint(context, mesh, object)
  const unenforced = new Set(unenforcedRules(mesh, object).map((index) => `spec.rules[${index}]`))
  const condition = requestConditions(mesh, object).find(({ field }) => !unenforced.has(ruleOf(field)))
  const workload = condition === undefined ? undefined : exposed(context, mesh, object)
  if (condition === undefined || workload === undefined) return []
  if (isUnknown(context, mesh, workload)) return [{ field: condition.field, outcome: 'skip' }]
  return [
    {
      field: condition.field,
      message: `${condition.name} is looked at by waypoints only, and ${nameOf(context, refOf(workload.object), params)} has none: ${effectOf(object, condition)}`,
      remediation: 'enrol the service to a waypoint (label istio.io/use-waypoint) and name it in targetRefs',
    },
  ]
}

/** The same for workloads that are behind a waypoint, which looks at no selectors. */
export const selectedBehindWaypoint: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (targetRefsOf(object).length > 0) return []
  const [condition] = requestConditions(mesh, object)
  // there may be a great many workloads, and in most meshes there is no waypoint at all
  const mayHaveWaypoint = context.knowledge === 'partial' || waypointsOf(mesh).length > 0
  if (condition === undefined || !mayHaveWaypoint) return []
  const [workload] = eachSelectedWorkload(mesh, object, capturedWorkloads(context.knowledge).behind)
  if (workload === undefined) return []
  return [
    {
      field: 'spec.selector',
      message: `${nameOf(context, refOf(workload.object), params)} is behind a waypoint, which looks at policies with targetRefs only, and ztunnel does not know ${condition.name}: ${effectOf(object, condition)}`,
      remediation: 'name the Service, or the waypoint, in targetRefs instead of the selector',
    },
  ]
}

/** Rules of a DENY policy of which a part is left with nothing that ztunnel can check: they deny nobody. */
export const unenforcedDenials: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const rules = unenforcedRules(mesh, object)
  const workload = rules.length === 0 || targetRefsOf(object).length > 0 ? undefined : exposed(context, mesh, object)
  if (workload === undefined) return []
  return rules.map((index): MeshFinding | SkippedPlace => {
    const field = `spec.rules[${index}]`
    if (isUnknown(context, mesh, workload)) return { field, outcome: 'skip' }
    const lost = unsupportedAttributes(object).filter((each) => ruleOf(each.field) === field)
    const names = [...new Set(lost.map(({ name }) => name))].join(' and ')
    const who = nameOf(context, refOf(workload.object), params)
    const why =
      names === ''
        ? `ztunnel knows nothing of what it asks for, and ${who} has no waypoint`
        : `${names} is looked at by waypoints only, and ${who} has none`
    return {
      field,
      message: `this rule denies nobody: ${why}`,
      remediation:
        'enrol the service to a waypoint (label istio.io/use-waypoint) and name it in targetRefs, or deny by source and port alone',
    }
  })
}

/** The rules of a DENY policy that never match at ztunnel. istio: istio#61126. */
function unenforcedRules(mesh: MeshSnapshot, policy: KubeObject): readonly number[] {
  if (actionOf(policy) !== 'DENY') return []
  const converted = convertAuthorizationPolicy(mesh, policy)
  if (typeof converted === 'string') return []
  return converted.rules.flatMap((rule) =>
    effectOfRule(rule) === 'never' && rule.index !== undefined ? [rule.index] : [],
  )
}

/** What a policy asks of requests rather than of connections; an action that only proxies know counts too. */
function requestConditions(mesh: MeshSnapshot, policy: KubeObject): readonly RequestCondition[] {
  const converted = convertAuthorizationPolicy(mesh, policy)
  if (converted === 'action CUSTOM') return [{ name: 'action CUSTOM', field: 'spec.action' }]
  return typeof converted === 'string' ? [] : unsupportedAttributes(policy)
}

/** The first workload of a policy that only ztunnel guards. */
function exposed(context: MeshContext, mesh: MeshSnapshot, policy: KubeObject): Workload | undefined {
  const [workload] = eachSelectedWorkload(mesh, policy, capturedWorkloads(context.knowledge).exposed)
  return workload
}

/** Of a few files that show no service of its namespace, nobody knows whether one in front of it uses a waypoint. */
function isUnknown({ knowledge }: MeshContext, mesh: MeshSnapshot, { namespace }: Workload): boolean {
  return knowledge === 'partial' && !knowsServicesIn(mesh, namespace)
}

function targetsWithoutWaypoint(context: MeshContext, mesh: MeshSnapshot, policy: KubeObject): readonly MeshFinding[] {
  return obstaclesOfPolicy(mesh, policy).flatMap((obstacle): readonly MeshFinding[] => {
    if (obstacle.reason !== 'target-without-waypoint') return []
    const { use, field } = obstacle
    const target = targetRefsOf(policy)[Number(/\d+/.exec(field)?.[0] ?? 0)]
    const name = text(target?.name) ?? ''
    const service = mesh.get(
      target?.kind === 'ServiceEntry' ? KINDS.serviceEntry : KINDS.service,
      namespaceOf(policy),
      name,
    )
    const isCapturedService = service !== undefined && servicesOf(service).some((each) => isAmbientService(mesh, each))
    if (!isCapturedService || waypointIn(use) !== undefined) return []
    if (context.knowledge === 'partial' && use.reference !== undefined) return []
    const mayArrive = use.reference !== undefined && use.gateway === undefined
    return [
      {
        field,
        message: `no waypoint serves ${name}, so nothing enforces this policy: ztunnel does not look at targetRefs`,
        remediation: 'enrol the service to a waypoint (label istio.io/use-waypoint)',
        ...(mayArrive ? { atMost: 'Warn' as const } : {}),
      },
    ]
  })
}

function effectOf(policy: KubeObject, { field, name }: RequestCondition): string {
  if (name === 'action CUSTOM') return 'nothing is asked there'
  const rule = ruleOf(field).slice('spec.'.length)
  return actionOf(policy) === 'DENY'
    ? `ztunnel drops that condition, so ${rule} denies more than it says`
    : `ztunnel leaves ${rule} out, so nobody gets in by it`
}

function ruleOf(field: string): string {
  return /^spec\.rules\[\d+\]/.exec(field)?.[0] ?? ''
}
