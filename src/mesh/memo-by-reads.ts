import type { KubeObject } from '../kube/object.ts'
import type { Index } from './indexes.ts'
import { KINDS } from './kinds.ts'
import type { MeshSnapshot } from './snapshot.ts'

/**
 * A pure function of a mesh and one of its namespaces, computed again only when something that it read has changed, wherever in the mesh
 * that is. For what is asked of every namespace: after an event of a watch, one of them is looked at again. The value must not hold the
 * mesh. It goes with the pods of the namespace; one without pods is looked at each time.
 */
export function memoByReads<V>(
  compute: (snapshot: MeshSnapshot, namespace: string) => V,
): (snapshot: MeshSnapshot, namespace: string) => V {
  const known = new WeakMap<readonly KubeObject[], { readonly reads: readonly Read[]; readonly value: V }>()
  return (snapshot, namespace) => {
    const pods = snapshot.inNamespace(KINDS.pod, namespace)
    if (pods.length === 0) return compute(snapshot, namespace)
    const found = known.get(pods)
    if (found?.reads.every((read) => read.ask(snapshot) === read.answer) === true) return found.value
    const reads = new Map<string, Map<unknown, Read>>()
    const value = compute(noting(snapshot, reads), namespace)
    known.set(pods, { reads: [...reads.values()].flatMap((each) => [...each.values()]), value })
    return value
  }
}

/** A question to a mesh, which holds nothing of the mesh that was asked first, and what that answered. */
interface Read {
  readonly ask: (snapshot: MeshSnapshot) => unknown
  readonly answer: unknown
}

/** The same mesh, seen through a view that notes what is read, each but once. */
function noting(snapshot: MeshSnapshot, reads: Map<string, Map<unknown, Read>>): MeshSnapshot {
  const note = <T>(ask: (mesh: MeshSnapshot) => T, words: readonly string[], index?: Index): T => {
    const answer = ask(snapshot)
    const key = JSON.stringify(words)
    reads.set(key, (reads.get(key) ?? new Map<unknown, Read>()).set(index, { ask, answer }))
    return answer
  }
  const unlike = <T>(answer: T): T => {
    note(neverTheSame, [])
    return answer
  }
  return {
    get istioNamespace() {
      return note(istioNamespace, ['istioNamespace'])
    },
    get secretNamespaces() {
      return note(secretNamespaces, ['secretNamespaces'])
    },
    get size() {
      return unlike(snapshot.size)
    },
    get: (...ref) => note(get(...ref), ['get', ...ref]),
    namespace: (name) => note(get(KINDS.namespace, '', name), ['namespace', name]),
    inNamespace: (...place) => note(inNamespace(...place), ['inNamespace', ...place]),
    all: (kind) => note(all(kind), ['all', kind]),
    namespacesWith: (kind) => note(namespacesWith(kind), ['namespacesWith', kind]),
    has: (index, key) => note(has(index, key), ['has', key], index),
    find: (index, key) => note(find(index, key), ['find', key], index),
    findIn: (index, ...place) => note(findIn(index, ...place), ['findIn', ...place], index),
    namespacesOf: (index, key) => note(namespacesOf(index, key), ['namespacesOf', key], index),
    kinds: () => unlike(snapshot.kinds()),
    with: (object) => unlike(snapshot.with(object)),
    without: (ref) => unlike(snapshot.without(ref)),
    recording: () => unlike(snapshot.recording()),
  }
}

type Ask<K extends keyof MeshSnapshot> = MeshSnapshot[K] extends (...words: infer Words) => infer Answer
  ? (...words: Words) => (mesh: MeshSnapshot) => Answer
  : never

const istioNamespace = (mesh: MeshSnapshot) => mesh.istioNamespace
const secretNamespaces = (mesh: MeshSnapshot) => mesh.secretNamespaces
const get: Ask<'get'> = (kind, namespace, name) => (mesh) => mesh.get(kind, namespace, name)
const inNamespace: Ask<'inNamespace'> = (kind, namespace) => (mesh) => mesh.inNamespace(kind, namespace)
const all: Ask<'all'> = (kind) => (mesh) => mesh.all(kind)
const namespacesWith: Ask<'namespacesWith'> = (kind) => (mesh) => mesh.namespacesWith(kind)
const has: Ask<'has'> = (index, key) => (mesh) => mesh.has(index, key)
const find: Ask<'find'> = (index, key) => (mesh) => mesh.find(index, key)
const findIn: Ask<'findIn'> = (index, key, namespace) => (mesh) => mesh.findIn(index, key, namespace)
const namespacesOf: Ask<'namespacesOf'> = (index, key) => (mesh) => mesh.namespacesOf(index, key)
/** Not a number is not even itself. */
const neverTheSame = () => NaN
