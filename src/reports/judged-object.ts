import type { AdmissionRequest } from '../engine/request.ts'
import { subjectOf } from '../engine/subject.ts'
import { asObject, own } from '../kube/json.ts'
import { nameOf, namespaceOf, parseApiVersion, type KubeObject, type ObjectRef } from '../kube/object.ts'
import { resourceOf, type ResourceName } from '../kube/resource-names.ts'
import type { InputError } from '../sources/input-error.ts'
import { locateField, type Manifest } from '../sources/manifests.ts'

/** What the API server would ask about a manifest that is applied. */
export interface JudgedObject {
  readonly manifest: Manifest
  /** The object with the namespace that it would get. */
  readonly object: KubeObject
  readonly ref: ObjectRef
  readonly request: AdmissionRequest
}

/** Resources by `group/Kind`, as CustomResourceDefinitions define them. */
export type DefinedKinds = ReadonlyMap<string, ResourceName>

/** The kinds that these objects define, as far as CustomResourceDefinitions are among them. */
export function definedKinds(objects: Iterable<KubeObject>): DefinedKinds {
  const kinds = new Map<string, ResourceName>()
  for (const { apiVersion, kind, spec } of objects) {
    if (kind !== 'CustomResourceDefinition' || !apiVersion.startsWith('apiextensions.k8s.io/')) continue
    const { group, names, scope } = asObject(spec)
    const { kind: defined, plural } = asObject(names)
    if (typeof group !== 'string' || typeof defined !== 'string' || typeof plural !== 'string') continue
    kinds.set(`${group}/${defined}`, { resource: plural, scope: scope === 'Cluster' ? 'Cluster' : 'Namespaced' })
  }
  return kinds
}

/** A manifest with the request that its application would make. `namespace` is that of objects that name none. */
export function toJudgedObject(manifest: Manifest, kinds: DefinedKinds, namespace: string): JudgedObject {
  const { request, object } = creationOf(manifest.object, { kinds, namespace, uid: uidOf(manifest) })
  return { manifest, object, ref: subjectOf(request), request }
}

/**
 * The request that creates an object: without an old one, by nobody. The resource of its kind comes from `kinds`, else
 * from a table, else it is the lower-case plural.
 */
export function creationOf(
  given: KubeObject,
  { kinds, namespace, uid }: { readonly kinds: DefinedKinds; readonly namespace: string; readonly uid: string },
): { readonly request: AdmissionRequest; readonly object: KubeObject } {
  const { group, version } = parseApiVersion(given.apiVersion)
  const { kind } = given
  const { resource, scope } = kinds.get(`${group}/${kind}`) ?? resourceOf(group, kind)
  const object = scope === 'Cluster' ? given : withNamespace(given, namespace)
  const isNamespace = group === '' && kind === 'Namespace'
  const request: AdmissionRequest = {
    uid,
    operation: 'CREATE',
    kind: { group, version, kind },
    resource: { group, version, resource },
    subResource: '',
    name: ownName(object),
    namespace: isNamespace ? nameOf(object) : scope === 'Cluster' ? '' : namespaceOf(object),
    object,
    oldObject: null,
    userInfo: { username: '', groups: [] },
    dryRun: true,
  }
  return { request, object }
}

/** Two objects of one identity, whatever their versions: only one of them can be applied. One error for each repetition. */
export function repeatedObjects(judged: readonly JudgedObject[]): readonly InputError[] {
  const seen = new Map<string, JudgedObject>()
  const errors: InputError[] = []
  for (const item of judged) {
    if (item.request.name === '') continue
    const { kind, namespace, name } = item.ref
    const identity = `${item.request.kind.group}/${kind}/${namespace}/${name}`
    const first = seen.get(identity)
    if (first === undefined) seen.set(identity, item)
    else errors.push(repetition(item, first))
  }
  return errors
}

function repetition(item: JudgedObject, first: JudgedObject): InputError {
  const { kind, namespace, name } = item.ref
  const { line } = locateField(first.manifest, [])
  const where = `${first.manifest.place.file}:${line}`
  const message = `${kind} "${name}"${namespace === '' ? '' : ` in namespace "${namespace}"`} is also in ${where}; keep one of them`
  return { code: 'DOC-09', ...item.manifest.place, ...locateField(item.manifest, []), message }
}

function withNamespace(object: KubeObject, namespace: string): KubeObject {
  if (namespaceOf(object) !== '') return object
  return { ...object, metadata: { ...asObject(object.metadata), namespace } }
}

/** `metadata.name`; empty where the API server has still to generate it. */
function ownName(object: KubeObject): string {
  const name = own(asObject(object.metadata), 'name')
  return typeof name === 'string' ? name : ''
}

function uidOf({ place }: Manifest): string {
  return [place.file, place.document, ...(place.item === undefined ? [] : [place.item])].join('#')
}
