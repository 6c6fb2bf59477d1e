import { asList, asObject, isObject, type JsonObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { setPatch } from '../../../kube/set-patch.ts'
import { ruleHost } from '../../../mesh/destination-rule.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { blocks } from '../../../mesh/fields.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { destinationReferences, referencesToHost, type DestinationReference } from '../../../mesh/references.ts'
import { limitsOf, outlierDetectionOf, retryBudgetOf } from '../../../mesh/resilience.ts'
import { isSameObject, refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { effectivePolicy } from '../../../mesh/traffic-policy.ts'
import { MOST_FINDINGS, nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { targetOf } from '../known-services.ts'
import type { MeshContext } from '../mesh-function.ts'

/**
 * Routes that retry towards a host of which nothing says when to stop: no ejection of failing endpoints, no retry
 * budget, no limit of retries under way. Of a DestinationRule: the routes for which it decides and that it leaves so, or that its end
 * does.
 */
export const unboundedRetries: Find = (context, object, params) =>
  kindNameOf(object) === KINDS.destinationRule
    ? leftUnbounded(context, object, params)
    : unboundedRoutes(context, object)

function unboundedRoutes(context: MeshContext, object: KubeObject): readonly (MeshFinding | SkippedPlace)[] {
  const mesh = discoveredMesh(context.mesh)
  const found = new Map<string, MeshFinding | SkippedPlace>()
  for (const reference of destinationReferences(object).filter(isRetried)) {
    const bound = boundOf(mesh, reference)
    if (bound === 'bounded') continue
    const field = `${entryField(reference)}.retries.attempts`
    if (
      bound === 'no rule' &&
      context.knowledge === 'partial' &&
      mesh.inNamespace(KINDS.destinationRule, namespaceOf(object)).length === 0
    ) {
      found.set(field, { field, outcome: 'skip' })
      continue
    }
    found.set(field, {
      field,
      message: `retries towards ${reference.host} have no end: ${WHY[bound]}, so they load it most when it fails`,
      remediation: `give the DestinationRule of ${reference.host} outlierDetection or a retryBudget`,
      // It may be on its way.
      ...(bound === 'no rule' ? { atMost: 'Warn' as const } : {}),
    })
  }
  return [...found.values()]
}

const WHY = {
  'no rule': 'no DestinationRule for it has a circuit breaker or retry budget',
  unbounded: 'its DestinationRule has neither circuit breaker nor retry budget',
} as const

function leftUnbounded(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const host = ruleHost(object)
  const left = referencesToHost(after, host)
    .filter(isRetried)
    .filter((reference) => boundOf(after, reference) !== 'bounded')
    .filter((reference) => decidesFor(after, reference, object) || boundOf(before, reference) === 'bounded')
  const [first] = left
  if (first === undefined) return []
  const more = left.length === 1 ? '' : ` and ${left.length - 1} more`
  const without = context.operation === 'DELETE' ? 'without this nothing' : 'nothing here'
  return [
    {
      field: 'spec.trafficPolicy',
      message: `${nameOf(context, refOf(first.object), params)} retries towards ${host}${more}, and ${without} bounds its retries: they load the host most when it fails`,
      remediation: 'keep outlierDetection, a retryBudget or connectionPool.http.maxRetries',
      related: left
        .slice(0, MOST_FINDINGS)
        .map((reference) => relatedTo(context, refOf(reference.object), params, reference.field)),
      ...fixOf(object, params),
    },
  ]
}

/** Is the rule one of those that decide there? */
function decidesFor(mesh: MeshSnapshot, reference: DestinationReference, rule: KubeObject): boolean {
  return targetOf(mesh, reference).rule?.from.some((each) => isSameObject(each, rule)) === true
}

/** A breaker for the whole host. Under settings for single ports it would not hold for them: there is no fix. */
function fixOf(rule: KubeObject, { outlierDetection }: JsonObject): Pick<MeshFinding, 'fix'> {
  const spec = asObject(rule.spec)
  const hasPorts = [spec, ...blocks(spec.subsets)].some(
    ({ trafficPolicy }) => asList(asObject(trafficPolicy).portLevelSettings).length > 0,
  )
  if (!isObject(outlierDetection) || hasPorts) return {}
  return { fix: setPatch(rule, ['spec', 'trafficPolicy', 'outlierDetection'], outlierDetection) }
}

/** Is a destination in an entry that asks for retries itself? Istio's own are on connection failure alone. */
function isRetried({ object, field, isMirror }: DestinationReference): boolean {
  const index = /^spec\.http\[(\d+)\]/.exec(field)?.[1]
  if (index === undefined || isMirror) return false
  const { attempts } = asObject(asObject(asList(asObject(object.spec).http)[Number(index)]).retries)
  return typeof attempts === 'number' && attempts > 0
}

function entryField({ field }: DestinationReference): string {
  return /^spec\.http\[\d+\]/.exec(field)?.[0] ?? field
}

/** What ends the retries of a route, as its own namespace's clients send them. */
function boundOf(mesh: MeshSnapshot, reference: DestinationReference): 'bounded' | 'unbounded' | 'no rule' {
  const { service, rule } = targetOf(mesh, reference)
  if (rule === undefined) return 'no rule'
  const port = reference.port ?? service?.ports[0]?.number ?? 80
  const policy = effectivePolicy(mesh, rule, port, reference.subset)
  const isBounded =
    outlierDetectionOf(policy) !== undefined ||
    retryBudgetOf(policy) !== undefined ||
    limitsOf(policy).maxRetries !== undefined
  return isBounded ? 'bounded' : 'unbounded'
}
