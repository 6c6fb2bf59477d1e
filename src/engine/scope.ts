import { celValue } from '../cel/environment.ts'
import type { CelProgram, CelRuntimeError, CelValue, CostBudget } from '../cel/types.ts'
import type { Json, JsonObject } from '../kube/json.ts'
import { labelsOf } from '../kube/object.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import type { MeshContext } from '../policy/mesh-functions/mesh-function.ts'
import type { Target } from '../policy/json-path.ts'
import type { BoundPolicy } from '../policy/policy-set.ts'
import type { PolicyProgram, WalkedPath } from '../policy/policy.ts'
import type { NamespaceLabels } from './applies.ts'
import { CLEAR_SIGHT, type MeshSight } from './mesh-knowledge.ts'
import type { AdmissionRequest } from './request.ts'

/** Units that one expression, and all expressions of a policy on one request, may take: Kubernetes' own limits. */
const PER_CALL = 1_000_000
const PER_POLICY = 10_000_000
/** Kubernetes gives the match conditions of a policy a budget of their own. */
const MATCH_CONDITIONS = 2_500_000

/** Names and values that an expression sees. Members are evaluated when they are first asked for. */
export type Activation = Record<string, unknown>

/** One request as the expressions of all policies see it: each object is wrapped once. */
export interface RequestScope {
  readonly request: AdmissionRequest
  readonly mesh: MeshContext
  readonly sight: MeshSight
  /** What rules walk over: the object, or on DELETE the one that goes. */
  readonly root: Json
  readonly activation: Activation
  /** What each path picks, by its text: policies walk to the same places, and see the same values there. */
  readonly picked: Map<string, readonly Place[]>
}

/** A place that a rule looks at, and its value as expressions see it. */
export interface Place extends Target {
  readonly seen: CelValue
}

/** A request scope in which one policy, with the parameters of one binding, is evaluated. */
export interface PolicyScope {
  readonly bound: BoundPolicy
  readonly program: PolicyProgram
  readonly root: Json
  readonly mesh: MeshContext
  readonly activation: Activation
  readonly picked: RequestScope['picked']
  readonly budget: CostBudget
  readonly sight: MeshSight
}

export type Evaluated =
  | { readonly ok: true; readonly value: CelValue }
  | { readonly ok: false; readonly error: CelRuntimeError }

/** Prepares a request. `object` replaces the one in the request: it may have been completed by defaults. */
export function requestScope(
  request: AdmissionRequest,
  mesh: MeshContext,
  object: JsonObject | null = request.object,
  sight: MeshSight = CLEAR_SIGHT,
): RequestScope {
  const activation: Activation = {
    object: celValue(object),
    oldObject: celValue(request.oldObject),
    request: celValue(request.raw ?? reviewRequest(request)),
    namespaceObject: celValue(mesh.before.namespace(request.namespace) ?? null),
  }
  return { request, mesh, sight, root: object ?? request.oldObject, activation, picked: new Map() }
}

/** The scope of one policy in a request. Variables are evaluated once, when an expression first asks for them. */
export function policyScope(scope: RequestScope, bound: BoundPolicy, program: PolicyProgram): PolicyScope {
  const activation: Activation = { ...scope.activation, params: bound.paramsValue, target: undefined }
  const budget: CostBudget = { perCall: PER_CALL, remaining: PER_POLICY }
  const { root, mesh, picked, sight } = scope
  const policy: PolicyScope = { bound, program, root, mesh, activation, picked, budget, sight }
  if (program.variables.length > 0) activation.variables = lazyVariables(policy)
  return policy
}

/** The places that a path picks, found once in a request. */
export function placesAt({ picked, root }: PolicyScope, { text, select }: WalkedPath): readonly Place[] {
  let places = picked.get(text)
  if (places === undefined) {
    places = select(root).map(({ path, value }) => ({ path, value, seen: celValue(value) }))
    picked.set(text, places)
  }
  return places
}

/** Evaluates one expression of a policy, at `target` where it has one. Never throws. */
export function evaluate(scope: PolicyScope, program: CelProgram, target?: CelValue): Evaluated {
  scope.activation.target = target
  return program.evaluate(scope.activation, scope.budget, scope.mesh)
}

/**
 * Do the match conditions let the policy look at this request? One that is false decides; else the first error does.
 * Source: k8s.io/apiserver `pkg/admission/plugin/webhook/matchconditions/matcher.go`, Match.
 */
export function meetsConditions(scope: PolicyScope): true | false | CelRuntimeError {
  let failed: CelRuntimeError | undefined
  if (scope.program.matchConditions.length === 0) return true
  const budget: CostBudget = { perCall: PER_CALL, remaining: MATCH_CONDITIONS }
  for (const { program } of scope.program.matchConditions) {
    const outcome = program.evaluate(scope.activation, budget, scope.mesh)
    if (!outcome.ok) failed ??= outcome.error
    else if (outcome.value !== true) return false
  }
  return failed ?? true
}

function lazyVariables(scope: PolicyScope): object {
  const variables = {}
  for (const { name, program } of scope.program.variables) {
    let outcome: Evaluated | undefined
    Object.defineProperty(variables, name, {
      enumerable: true,
      get() {
        outcome ??= program.evaluate(scope.activation, scope.budget, scope.mesh)
        if (!outcome.ok) throw new Error(`variable "${name}": ${outcome.error.message}`)
        return outcome.value
      },
    })
  }
  return variables
}

/** Labels of the namespace that a request is about, as far as the mesh knows them. */
export function namespaceLabels(request: AdmissionRequest, mesh: MeshSnapshot): NamespaceLabels {
  if (isNamespace(request))
    return { known: true, labels: named(request.namespace, labelsOf(request.object ?? request.oldObject)) }
  if (request.namespace === '') return { known: true, labels: undefined }
  const namespace = mesh.namespace(request.namespace)
  return { known: namespace !== undefined, labels: named(request.namespace, labelsOf(namespace)) }
}

function isNamespace(request: AdmissionRequest): boolean {
  return request.resource.group === '' && request.resource.resource === 'namespaces'
}

function named(name: string, labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { ...labels, 'kubernetes.io/metadata.name': name }
}

function reviewRequest(request: AdmissionRequest): JsonObject {
  const { uid, kind, resource, subResource, name, namespace, operation, userInfo, dryRun } = request
  return {
    uid,
    kind: { ...kind },
    resource: { ...resource },
    ...(subResource === '' ? {} : { subResource, requestSubResource: subResource }),
    // Nobody converted it from another version.
    requestKind: { ...kind },
    requestResource: { ...resource },
    name,
    namespace,
    operation,
    userInfo: { username: userInfo.username, groups: [...userInfo.groups] },
    dryRun,
  }
}
