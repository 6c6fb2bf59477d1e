import { asObject } from '../kube/json.ts'
import { namespaceOf, type KubeObject } from '../kube/object.ts'
import { actionOf, isDryRun } from './authorization.ts'
import { isNamespaceWide } from './default-deny.ts'
import type { Client } from './destination-rule.ts'
import { blocks, text, texts } from './fields.ts'
import { KINDS } from './kinds.ts'
import { memo } from './memo.ts'
import { meshConfigOf } from './mesh-config.ts'
import { holdsFor, targetRefsOf } from './policy-attachment.ts'
import { selectionOf } from './selection.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** Does a policy for all workloads of the namespace ask for a token? */
export function isAskedOfAll(mesh: MeshSnapshot, namespace: string): boolean {
  return askingFor(mesh, namespace).some(isNamespaceWide)
}

/** Does a policy that holds for the workload ask for a token? */
export function isAskedOf(mesh: MeshSnapshot, workload: Client): boolean {
  return askingFor(mesh, workload.namespace).some((policy) => holdsFor(policy, workload))
}

/** The policies of the root namespace and of this one that ask for a token. */
function askingFor(mesh: MeshSnapshot, namespace: string): readonly KubeObject[] {
  return [meshConfigOf(mesh).rootNamespace, namespace].flatMap((each) =>
    askingAmong(mesh.inNamespace(KINDS.authorizationPolicy, each)),
  )
}

/** Does a policy for the same labels, or the same targets, ask for a token? */
export function isAskedBeside(mesh: MeshSnapshot, authentication: KubeObject): boolean {
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
export function asksForToken(policy: KubeObject): boolean {
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
