import { nameOf, namespaceOf } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { workloadsIn } from '../../../mesh/workloads.ts'
import { type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { sourceValues, type SourceValue } from './source-values.ts'

/** Namespaces that a policy names and that are not there. */
export const unknownNamespaces: Find = (context, object) => {
  const { mesh, knowledge } = context
  const found: (MeshFinding | SkippedPlace)[] = []
  const names = mesh.all(KINDS.namespace).map(nameOf)
  for (const { value, field } of sourceValues(object, 'namespace')) {
    const isPattern = value.startsWith('*') || value.endsWith('*')
    if (value === namespaceOf(object) || (isPattern ? matchesAny(names, value) : exists(mesh, value))) continue
    if (knowledge === 'partial') found.push({ field, outcome: 'skip' })
    else
      found.push({
        field,
        message: `there is no namespace ${isPattern ? 'like ' : ''}"${value}", so nobody calls from there`,
        remediation: 'write the name of a namespace, without any other part of an identity',
        atMost: 'Warn',
      })
  }
  return found
}

/** Service accounts that a policy names and that are not there. */
export const unknownAccounts: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const named = [
    ...sourceValues(object, 'principal').map(byPrincipal(mesh)),
    ...sourceValues(object, 'account').map(byAccount(namespaceOf(object))),
  ]
  const found: (MeshFinding | SkippedPlace)[] = []
  for (const account of named) {
    if (account === undefined || hasAccount(mesh, account)) continue
    const { namespace, name, field } = account
    if (context.knowledge === 'partial' && !knowsAccounts(mesh, namespace)) found.push({ field, outcome: 'skip' })
    else
      found.push({
        field,
        message: `there is no ServiceAccount ${namespace}/${name}, so nobody has that identity`,
        remediation: 'write TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT of one that exists, or create it',
        atMost: 'Warn',
      })
  }
  return found
}

interface NamedAccount {
  readonly namespace: string
  readonly name: string
  readonly field: string
}

/** Patterns name nobody in particular, and those of other meshes are not known here. */
function byPrincipal(mesh: MeshSnapshot): (value: SourceValue) => NamedAccount | undefined {
  const { trustDomain, trustDomainAliases } = meshConfigOf(mesh)
  const own = new Set([trustDomain, 'cluster.local', ...trustDomainAliases])
  return ({ value, field }) => {
    const [, domain = '', namespace, name] = /^([^/*]+)\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(value) ?? []
    if (namespace === undefined || name === undefined || !own.has(domain)) return undefined
    return { namespace, name, field }
  }
}

/** istio: a name without a namespace is of the policy's own. */
function byAccount(own: string): (value: SourceValue) => NamedAccount | undefined {
  return ({ value, field }) => {
    if (value.includes('*')) return undefined
    const [first = '', second] = value.split('/')
    return second === undefined ? { namespace: own, name: first, field } : { namespace: first, name: second, field }
  }
}

/** The account is there, something runs with it, or Kubernetes and Istio make it by themselves. */
function hasAccount(mesh: MeshSnapshot, { namespace, name }: NamedAccount): boolean {
  if (mesh.get(KINDS.serviceAccount, namespace, name) !== undefined) return true
  if (name === 'default' && exists(mesh, namespace)) return true
  if (mesh.inNamespace(KINDS.k8sGateway, namespace).some(({ metadata }) => madeFor(metadata?.name, name))) return true
  return workloadsIn(mesh, namespace).some(({ serviceAccount }) => serviceAccount === name)
}

/** Istio makes an account for each Gateway of the Gateway API: called like it, with its class behind that unless it is a waypoint. */
function madeFor(gateway: unknown, account: string): boolean {
  return typeof gateway === 'string' && (account === gateway || account === `${gateway}-istio`)
}

function knowsAccounts(mesh: MeshSnapshot, namespace: string): boolean {
  return mesh.inNamespace(KINDS.serviceAccount, namespace).length > 0 || workloadsIn(mesh, namespace).length > 0
}

/** A star at one end stands for anything, alone for every namespace. istio: security/authz/matcher/string.go. */
function matchesAny(names: readonly string[], pattern: string): boolean {
  if (pattern === '*') return true
  const [prefix, suffix] = [pattern.slice(0, -1), pattern.slice(1)]
  return names.some(pattern.startsWith('*') ? (name) => name.endsWith(suffix) : (name) => name.startsWith(prefix))
}

function exists(mesh: MeshSnapshot, namespace: string): boolean {
  return mesh.namespace(namespace) !== undefined || workloadsIn(mesh, namespace).length > 0
}
