import { asObject, type JsonObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { actionOf, isDryRun } from '../../../mesh/authorization.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { blocks, text, texts } from '../../../mesh/fields.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { policiesFor, targetRefsOf } from '../../../mesh/policy-attachment.ts'
import { selectionOf } from '../../../mesh/selection.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

const WHY = 'a request without any token is accepted'

/** A RequestAuthentication beside which no AuthorizationPolicy asks for a token; or the policy that did and goes. */
export const optionalTokens: Find = (context, object, params) => {
  if (kindNameOf(object) === KINDS.authorizationPolicy) return removedRequirement(context, object, params)
  const mesh = discoveredMesh(context.mesh)
  if (blocks(asObject(object.spec).jwtRules).length === 0 || requiresToken(mesh, object)) return []
  const field = 'spec.jwtRules'
  const knowsPolicies = mesh.inNamespace(KINDS.authorizationPolicy, namespaceOf(object)).length > 0
  if (context.knowledge === 'partial' && !knowsPolicies) return [{ field, outcome: 'skip' }]
  return [
    {
      field,
      message: `this rejects bad tokens only: no AuthorizationPolicy for the same workloads asks for requestPrincipals, so ${WHY}`,
      remediation:
        'apply an AuthorizationPolicy for the same workloads whose rules ask for requestPrincipals: ["ISSUER/*"]',
      atMost: 'Warn',
    },
  ]
}

function removedRequirement(context: MeshContext, object: KubeObject, params: JsonObject): readonly MeshFinding[] {
  if (context.operation === 'CREATE') return []
  const [before, after] = [discoveredMesh(context.before), discoveredMesh(context.mesh)]
  const old = before.get(KINDS.authorizationPolicy, namespaceOf(object), ownName(object)) ?? object
  if (!asksForToken(old)) return []
  const isRoot = selectionOf(before, old)?.reach === 'mesh'
  const authentications = isRoot
    ? after.all(KINDS.requestAuthentication)
    : after.inNamespace(KINDS.requestAuthentication, namespaceOf(object))
  return authentications
    .filter((authentication) => requiresToken(before, authentication) && !requiresToken(after, authentication))
    .map((authentication) => ({
      field: context.operation === 'DELETE' ? '' : 'spec.rules',
      message: `this is what asks for a token that ${nameOf(context, refOf(authentication), params)} checks: without it ${WHY}`,
      remediation: 'apply another policy that asks for requestPrincipals first',
      related: [relatedTo(context, refOf(authentication), params)],
    }))
}

/** Does a policy for the same workloads, or the same targets, ask for a token? */
function requiresToken(mesh: MeshSnapshot, authentication: KubeObject): boolean {
  const targets = targetRefsOf(authentication)
  const namespace = namespaceOf(authentication)
  const candidates =
    targets.length > 0
      ? mesh.inNamespace(KINDS.authorizationPolicy, namespace).filter((policy) => sharesTarget(policy, authentication))
      : policiesFor(mesh, KINDS.authorizationPolicy, {
          namespace,
          labels: selectionOf(mesh, authentication)?.labels ?? {},
        })
  return candidates.some(asksForToken)
}

function sharesTarget(policy: KubeObject, other: KubeObject): boolean {
  const key = ({ kind, name }: { readonly kind?: unknown; readonly name?: unknown }) => JSON.stringify([kind, name])
  const targets = new Set(targetRefsOf(policy).map(key))
  return targetRefsOf(other).some((target) => targets.has(key(target)))
}

/** An ALLOW policy each of whose rules wants a token's principal, or a DENY policy for those who have none. */
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
