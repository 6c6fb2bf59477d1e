import { closedObject, parseType, showType, type ObjectType, type Type } from '../cel/check/type.ts'
import type { CelVariable } from '../cel/types.ts'

/**
 * `request` and `namespaceObject` as expressions see them: a field of another name does not compile.
 * Source: k8s.io/apiserver `pkg/admission/plugin/cel/compile.go`, BuildRequestType and BuildNamespaceType.
 */
const REQUEST: Type = object('kubernetes.AdmissionRequest', {
  kind: versionedName('Kind', 'kind'),
  resource: versionedName('Resource', 'resource'),
  subResource: 'string',
  requestKind: versionedName('Kind', 'kind'),
  requestResource: versionedName('Resource', 'resource'),
  requestSubResource: 'string',
  name: 'string',
  namespace: 'string',
  operation: 'string',
  userInfo: object('kubernetes.UserInfo', {
    username: 'string',
    uid: 'string',
    groups: 'list<string>',
    extra: 'map<string, list<string>>',
  }),
  dryRun: 'bool',
  options: 'dyn',
})

const NAMESPACE_OBJECT: Type = object('kubernetes.Namespace', {
  metadata: object('kubernetes.NamespaceMetadata', {
    name: 'string',
    generateName: 'string',
    namespace: 'string',
    labels: 'map<string, string>',
    annotations: 'map<string, string>',
    UID: 'string',
    creationTimestamp: 'timestamp',
    deletionGracePeriodSeconds: 'int',
    deletionTimestamp: 'timestamp',
    generation: 'int',
    resourceVersion: 'string',
    finalizers: 'list<string>',
  }),
  spec: object('kubernetes.NamespaceSpec', { finalizers: 'list<string>' }),
  status: object('kubernetes.NamespaceStatus', {
    conditions: {
      kind: 'list',
      item: object('kubernetes.NamespaceCondition', {
        status: 'string',
        type: 'string',
        lastTransitionTime: 'timestamp',
        message: 'string',
        reason: 'string',
      }),
    },
    phase: 'string',
  }),
})

function versionedName(suffix: 'Kind' | 'Resource', last: string): ObjectType {
  return object(`kubernetes.GroupVersion${suffix}`, { group: 'string', version: 'string', [last]: 'string' })
}

function object(name: string, fields: Readonly<Record<string, string | Type>>): ObjectType {
  const types = Object.entries(fields).map(([field, type]): [string, Type] => [
    field,
    typeof type === 'string' ? parseType(type) : type,
  ])
  return closedObject(name, Object.fromEntries(types))
}

/** What every expression of a policy sees. */
export const ADMISSION_VARIABLES: Readonly<Record<string, CelVariable>> = {
  object: 'dyn',
  oldObject: 'dyn',
  request: REQUEST,
  namespaceObject: NAMESPACE_OBJECT,
  params: 'dyn',
}

/**
 * The type that a variable of a policy has for the expressions behind it: scalars, lists and maps keep theirs, all else
 * is `dyn`. Source: k8s.io/apiserver `pkg/admission/plugin/cel/composition.go`, convertCelTypeToDeclType.
 */
export function variableType(type: Type): Type {
  switch (type.kind) {
    case 'named':
      return SCALARS.has(showType(type)) ? type : { kind: 'dyn' }
    case 'list':
      return { kind: 'list', item: variableType(type.item) }
    case 'map':
      return { kind: 'map', key: variableType(type.key), value: variableType(type.value) }
    default:
      return { kind: 'dyn' }
  }
}

const SCALARS: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'duration',
  'int',
  'null',
  'string',
  'timestamp',
  'uint',
])
