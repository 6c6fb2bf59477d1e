import { nameOf, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { KINDS } from '../../../mesh/kinds.ts'
import { memo, memoByKey } from '../../../mesh/memo.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import type { MeshSnapshot } from '../../../mesh/snapshot.ts'
import { workloadsIn, type Workload } from '../../../mesh/workloads.ts'
import { type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import { sourceValues, type SourceValue } from './source-values.ts'

/** Namespaces that a policy names and that are not there. */
export const unknownNamespaces: Find = (context, object) => {
  const { mesh, knowledge } = context
  const found: (MeshFinding | SkippedPlace)[] = []
  const namespaces = mesh.all(KINDS.namespace)
  for (const { value, field } of sourceValues(object, 'namespace')) {
    const isPattern = value.startsWith('*') || value.endsWith('*')
    if (value === namespaceOf(object) || (isPattern ? matchesAny(namespaces, value) : exists(mesh, value))) continue
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
  const isKnown = memoByKey(String, (namespace: string) => accountsIn(mesh, namespace))
  const found: (MeshFinding | SkippedPlace)[] = []
  for (const account of named) {
    if (account === undefined || isKnown(account.namespace)(account.name)) continue
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

/** Is an account of a namespace there, does something run with it, or do Kubernetes and Istio make it by themselves? */
function accountsIn(mesh: MeshSnapshot, namespace: string): (name: string) => boolean {
  const running = accountsOf(workloadsIn(mesh, namespace))
  const made = new Set(mesh.inNamespace(KINDS.serviceAccount, namespace).map(nameOf))
  if (exists(mesh, namespace)) made.add('default')
  // istio makes one for each Gateway of the Gateway API: called like it, with its class behind that unless it is a waypoint
  for (const gateway of mesh.inNamespace(KINDS.k8sGateway, namespace).map(nameOf)) {
    made.add(gateway).add(`${gateway}-istio`)
  }
  return (name) => running.has(name) || made.has(name)
}

/** The accounts that workloads run with. */
const accountsOf: (workloads: readonly Workload[]) => ReadonlySet<string> = memo(
  (workloads) => new Set(workloads.map(({ serviceAccount }) => serviceAccount)),
)

function knowsAccounts(mesh: MeshSnapshot, namespace: string): boolean {
  return mesh.inNamespace(KINDS.serviceAccount, namespace).length > 0 || workloadsIn(mesh, namespace).length > 0
}

/** A star at one end stands for anything, alone for every namespace. O(log n). istio: security/authz/matcher/string.go. */
function matchesAny(namespaces: readonly KubeObject[], pattern: string): boolean {
  if (pattern === '*') return true
  const { names, reversed } = sortedNames(namespaces)
  return pattern.startsWith('*')
    ? hasPrefix(reversed, reverse(pattern.slice(1)))
    : hasPrefix(names, pattern.slice(0, -1))
}

/** The names of objects in order, and so too what they are from their ends. */
const sortedNames: (objects: readonly KubeObject[]) => {
  readonly names: readonly string[]
  readonly reversed: readonly string[]
} = memo((objects) => {
  const names = objects.map(nameOf)
  return { names: names.toSorted(), reversed: names.map(reverse).sort() }
})

function hasPrefix(sorted: readonly string[], prefix: string): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < prefix) low = middle + 1
    else high = middle
  }
  return sorted[low]?.startsWith(prefix) === true
}

function reverse(name: string): string {
  return name.split('').reverse().join('')
}

function exists(mesh: MeshSnapshot, namespace: string): boolean {
  return mesh.namespace(namespace) !== undefined || workloadsIn(mesh, namespace).length > 0
}
