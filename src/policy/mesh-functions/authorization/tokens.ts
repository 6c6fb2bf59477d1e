import { asObject, type JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { asksForToken, isAskedBeside, isAskedOf, isAskedOfAll } from '../../../mesh/demanded-tokens.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { blocks } from '../../../mesh/fields.ts'
import { runsGateway } from '../../../mesh/gateway-pod.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { holdsFor } from '../../../mesh/policy-attachment.ts'
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
  const gaps = gapsOf(mesh, object)
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
  return authenticationsBeside(after, old)
    .filter((authentication) => isLost({ before, after }, old, authentication))
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

/** The first gap of each namespace. */
function gapsOf(mesh: MeshSnapshot, authentication: KubeObject): readonly Gap[] {
  const namespaces = namespacesOf(mesh, authentication)
  const gaps = namespaces.flatMap((namespace): readonly Gap[] => {
    if (isAskedOfAll(mesh, namespace)) return []
    const workload = workloadsIn(mesh, namespace).find(
      (each) => holdsFor(authentication, each) && !isAskedOf(mesh, each) && hasProxy(mesh, each),
    )
    return workload === undefined ? [] : [{ namespace, workload }]
  })
  if (gaps.length > 0 || isAskedBeside(mesh, authentication) || isAtWork(mesh, authentication, namespaces)) return gaps
  return [{ namespace: namespaceOf(authentication), workload: undefined }]
}

/** Does nobody ask any more for tokens that are checked where a policy, now gone, did? */
function isLost(
  { before, after }: { readonly before: MeshSnapshot; readonly after: MeshSnapshot },
  policy: KubeObject,
  authentication: KubeObject,
): boolean {
  const reached = new Set(namespacesOf(before, policy))
  const namespaces = namespacesOf(after, authentication).filter((namespace) => reached.has(namespace))
  const isOpened = (workload: Workload): boolean =>
    holdsFor(policy, workload) &&
    holdsFor(authentication, workload) &&
    !isAskedOf(after, workload) &&
    hasProxy(after, workload)
  if (namespaces.some((namespace) => !isAskedOfAll(after, namespace) && workloadsIn(after, namespace).some(isOpened)))
    return true
  const isLostBeside = isAskedBeside(before, authentication) && !isAskedBeside(after, authentication)
  return isLostBeside && !isAtWork(after, authentication, namespaces)
}

/** Does anything there check tokens by it? Who has no proxy does not. */
function isAtWork(mesh: MeshSnapshot, authentication: KubeObject, namespaces: readonly string[]): boolean {
  return namespaces.some((namespace) =>
    workloadsIn(mesh, namespace).some((each) => holdsFor(authentication, each) && hasProxy(mesh, each)),
  )
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
