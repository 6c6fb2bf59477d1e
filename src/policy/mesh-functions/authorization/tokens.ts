import { asObject, type JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { actionOf, isDryRun } from '../../../mesh/authorization.ts'
import type { Client } from '../../../mesh/destination-rule.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { blocks, text, texts } from '../../../mesh/fields.ts'
import { runsGateway } from '../../../mesh/gateway-pod.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { memo } from '../../../mesh/memo.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { holdsFor, targetRefsOf } from '../../../mesh/policy-attachment.ts'
import { selectionOf } from '../../../mesh/selection.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { hasSidecar, namespacesWithWorkloads, workloadsIn, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

const WHY = 'a request without any token is accepted'

/** A RequestAuthentication beside which no AuthorizationPolicy asks for a token; or the policy that did and goes. */
export const optionalTokens: Find = (context, object, params) => {
  if (kindNameOf(object) === KINDS.authorizationPolicy) return removedRequirement(context, object, params)
  const mesh = discoveredMesh(context.mesh)
  if (!checksTokens(object)) return []
  const gaps = firstOfNamespace(gapsOf(mesh, object, namespacesOf(mesh, object)))
  const certain = gaps.filter(({ namespace }) => isKnown(context, mesh, namespace))
  const field = 'spec.jwtRules'
  const [first] = certain
  if (first === undefined) return gaps.length === 0 ? [] : [{ field, outcome: 'skip' }]
  const more = certain.length === 1 ? '' : ` (and workloads of ${certain.length - 1} more namespaces)`
  const { workload } = first
  const whom = workload === undefined ? 'the same workloads' : nameOf(context, refOf(workload.object), params)
  return [
    {
      field,
      message: `this rejects bad tokens only: no AuthorizationPolicy for ${whom}${more} asks for requestPrincipals, so ${WHY}`,
      remediation:
        'apply an AuthorizationPolicy for the same workloads whose rules ask for requestPrincipals: ["ISSUER/*"]',
      related: workload === undefined ? [] : [relatedTo(context, refOf(workload.object), params)],
      atMost: 'Warn',
    },
  ]
}

function removedRequirement(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  if (context.operation === 'CREATE') return []
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const old = before.get(KINDS.authorizationPolicy, namespaceOf(object), ownName(object)) ?? object
  if (!asksForToken(old)) return []
  const namespaces = namespacesOf(before, old)
  return authenticationsBeside(after, old)
    .filter((authentication) => {
      const open = new Set([...gapsOf(before, authentication, namespaces)].map(({ workload }) => workload))
      return [...gapsOf(after, authentication, namespaces)].some(({ workload }) => !open.has(workload))
    })
    .map((authentication) => ({
      field: context.operation === 'DELETE' ? '' : 'spec.rules',
      message: `this is what asks for a token that ${nameOf(context, refOf(authentication), params)} checks: without it ${WHY}`,
      remediation: 'apply another policy that asks for requestPrincipals first',
      related: [relatedTo(context, refOf(authentication), params)],
    }))
}

/** What may check tokens of the workloads that a policy is for: of its own namespace and the root's, or from there of all. */
function authenticationsBeside(mesh: MeshSnapshot, policy: KubeObject): readonly KubeObject[] {
  const { rootNamespace } = meshConfigOf(mesh)
  const found = isMeshWide(mesh, policy)
    ? mesh.all(KINDS.requestAuthentication)
    : [...new Set([namespaceOf(policy), rootNamespace])].flatMap((namespace) =>
        mesh.inNamespace(KINDS.requestAuthentication, namespace),
      )
  return found.filter(checksTokens)
}

/** A few files that show no policy of a namespace do not show that none asks for a token there. */
function isKnown({ knowledge }: MeshContext, mesh: MeshSnapshot, namespace: string): boolean {
  if (knowledge === 'whole') return true
  return mesh.inNamespace(KINDS.authorizationPolicy, namespace).length > 0
}

/** Where tokens are checked and nobody asks for one. Without a workload: nothing is known to run there. */
interface Gap {
  readonly namespace: string
  readonly workload: Workload | undefined
}

/** The gaps of a RequestAuthentication in some namespaces. Who has no proxy checks no token. */
function* gapsOf(mesh: MeshSnapshot, authentication: KubeObject, namespaces: readonly string[]): Generator<Gap> {
  const own = namespaceOf(authentication)
  let isAlone = true
  for (const namespace of isMeshWide(mesh, authentication) ? namespaces : namespaces.filter((each) => each === own)) {
    for (const workload of workloadsIn(mesh, namespace)) {
      if (!holdsFor(authentication, workload) || !hasProxy(mesh, workload)) continue
      isAlone = false
      if (!isAskedOf(mesh, workload)) yield { namespace, workload }
    }
  }
  if (isAlone && !isAskedBeside(mesh, authentication)) yield { namespace: own, workload: undefined }
}

function firstOfNamespace(gaps: Iterable<Gap>): readonly Gap[] {
  const first = new Map<string, Gap>()
  for (const gap of gaps) if (!first.has(gap.namespace)) first.set(gap.namespace, gap)
  return [...first.values()]
}

function namespacesOf(mesh: MeshSnapshot, policy: KubeObject): readonly string[] {
  return isMeshWide(mesh, policy) ? namespacesWithWorkloads(mesh) : [namespaceOf(policy)]
}

function isMeshWide(mesh: MeshSnapshot, policy: KubeObject): boolean {
  return selectionOf(mesh, policy)?.reach === 'mesh'
}

function checksTokens(authentication: KubeObject): boolean {
  return blocks(asObject(authentication.spec).jwtRules).length > 0
}

function hasProxy(mesh: MeshSnapshot, workload: Workload): boolean {
  return hasSidecar(mesh, workload) || runsGateway(workload.object)
}

/** Does a policy that holds for the workload ask for a token? */
function isAskedOf(mesh: MeshSnapshot, workload: Client): boolean {
  return [meshConfigOf(mesh).rootNamespace, workload.namespace].some((namespace) =>
    askingAmong(mesh.inNamespace(KINDS.authorizationPolicy, namespace)).some((policy) => holdsFor(policy, workload)),
  )
}

/** Does a policy for the same labels, or the same targets, ask for a token? */
function isAskedBeside(mesh: MeshSnapshot, authentication: KubeObject): boolean {
  const namespace = namespaceOf(authentication)
  if (targetRefsOf(authentication).length === 0)
    return isAskedOf(mesh, { namespace, labels: selectionOf(mesh, authentication)?.labels ?? {} })
  const asking = askingAmong(mesh.inNamespace(KINDS.authorizationPolicy, namespace))
  return asking.some((policy) => sharesTarget(policy, authentication))
}

const askingAmong: (policies: readonly KubeObject[]) => readonly KubeObject[] = memo((policies) =>
  policies.filter(asksForToken),
)

function sharesTarget(policy: KubeObject, other: KubeObject): boolean {
  const key = ({ kind, name }: { readonly kind?: unknown; readonly name?: unknown }) => JSON.stringify([kind, name])
  const targets = new Set(targetRefsOf(policy).map(key))
  return targetRefsOf(other).some((target) => targets.has(key(target)))
}

/** An ALLOW policy with a rule that wants a token's principal, or a DENY policy for those who have none. */
function asksForToken(policy: KubeObject): boolean {
  const rules = blocks(asObject(policy.spec).rules)
  if (isDryRun(policy) || rules.length === 0) return false
  switch (actionOf(policy)) {
    case 'ALLOW':
      return rules.some((rule) => wants(rule, 'requestPrincipals', 'values'))
    case 'DENY':
      return rules.some((rule) => wants(rule, 'notRequestPrincipals', 'notValues'))
    default:
      return false
  }
}

function wants(rule: ReturnType<typeof blocks>[number], field: string, values: 'values' | 'notValues'): boolean {
  const bySource = blocks(rule.from).some(({ source }) => texts(asObject(source)[field]).length > 0)
  const byCondition = blocks(rule.when).some(
    (condition) => (text(condition.key) ?? '').startsWith('request.auth.') && texts(condition[values]).length > 0,
  )
  return bySource || byCondition
}
