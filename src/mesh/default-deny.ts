import { asList, asObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { byAge } from './age.ts'
import { actionOf, allowsAll, allowsNothing, authorizationFor, isDryRun, isUnconditional } from './authorization.ts'
import type { Client } from './destination-rule.ts'
import { KINDS } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import { selects, targetRefsOf } from './policy-attachment.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** How a namespace is closed by default, and whether something opens it again. */
export interface DefaultDeny {
  /**
   * `allow-nothing`: an ALLOW policy without rules, the recommended form. `narrow-allow`: one with rules, which closes
   * everything else just as well. `deny-all`: a DENY rule without conditions, which nothing can open.
   */
  readonly form: 'allow-nothing' | 'narrow-allow' | 'deny-all'
  readonly policy: KubeObject
  /** A policy that allows everything to every workload of the namespace, and so undoes the default. */
  readonly defeatedBy: KubeObject | undefined
}

/**
 * What closes every workload of a namespace for whom no policy speaks: a policy of the namespace or of the root namespace without
 * a selector and without targets. Undefined: nothing does. Waypoints need one of their own.
 */
export function defaultDenyOf(snapshot: MeshSnapshot, namespace: string): DefaultDeny | undefined {
  const { rootNamespace } = meshConfigOf(snapshot)
  const wide = [...new Set([namespace, rootNamespace])].flatMap((each) =>
    byAge(snapshot.inNamespace(KINDS.authorizationPolicy, each)).filter(isNamespaceWide),
  )
  const denying = wide.find(deniesAll)
  if (denying !== undefined) return { form: 'deny-all', policy: denying, defeatedBy: undefined }
  const allowing = wide.filter((policy) => actionOf(policy) === 'ALLOW' && !isDryRun(policy))
  const policy = allowing.find(allowsNothing) ?? allowing.find((candidate) => !allowsAll(candidate))
  if (policy === undefined) return undefined
  const form = allowsNothing(policy) ? 'allow-nothing' : 'narrow-allow'
  return { form, policy, defeatedBy: allowing.find(allowsAll) }
}

/** Is a request to the workload denied unless a policy lets it in? A policy that lets everything in makes it open. */
export function isClosedByDefault(snapshot: MeshSnapshot, workload: Client): boolean {
  const { ALLOW: allow, DENY: deny } = authorizationFor(snapshot, workload)
  if (deny.some(deniesAll)) return true
  return allow.length > 0 && !allow.some(allowsAll)
}

/** Is the policy for every workload of where it applies? */
export function isNamespaceWide(policy: KubeObject): boolean {
  return targetRefsOf(policy).length === 0 && selects(policy, {})
}

function deniesAll(policy: KubeObject): boolean {
  if (actionOf(policy) !== 'DENY' || isDryRun(policy)) return false
  return asList(asObject(policy.spec).rules).some((rule) => isUnconditional(asObject(rule)))
}
