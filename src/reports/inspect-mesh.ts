import { asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf } from '../kube/object.ts'
import { ambientFacts } from '../mesh/ambient-facts.ts'
import { accessTo, type Verdict } from '../mesh/access.ts'
import { enforcedRuleName, type EnforcedRules } from '../mesh/authorization.ts'
import { collectFacts, sidecarWorkloads, type FactsProgress } from '../mesh/facts.ts'
import { gatewayFacts } from '../mesh/gateway-facts.ts'
import { servicesInFrontOf } from '../mesh/inbound.ts'
import { effectiveMtls } from '../mesh/peer-authentication.ts'
import type { Request } from '../mesh/request.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import { allWorkloads, type Workload } from '../mesh/workloads.ts'

/** What a mesh really does. */
export interface Inspection {
  /** In the vocabulary of docs/conformance.md: sidecars, gateways and ambient together. */
  readonly facts: JsonObject
  /**
   * What decides, by workload: under a port (`other` for those that nothing names) the object and field of its mTLS mode,
   * under `port request` the rule of the verdict.
   */
  readonly deciders: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/**
 * Works out everything there is to know about a mesh; yields after each workload, for a caller that shows progress.
 * `hidden`: how hosts are told that a workload does not see.
 */
export function* inspectMesh(
  snapshot: MeshSnapshot,
  requests: readonly Request[],
  hidden: 'null' | 'left-out',
): Generator<FactsProgress, Inspection> {
  const sidecars = yield* collectFacts(snapshot, requests, hidden)
  return {
    facts: { ...sidecars, ...gatewayFacts(snapshot), ...ambientFacts(snapshot, requests) },
    deciders: new Map(
      sidecarWorkloads(snapshot).map((workload) => [workloadName(workload), decidersOf(snapshot, workload, requests)]),
    ),
  }
}

/** Facts that are told by workload, and so can be narrowed to one. */
const BY_WORKLOAD = [
  'sidecar',
  'outboundPolicy',
  'inbound',
  'outbound',
  'routes',
  'otherRoutes',
  'access',
  'gateways',
  'pods',
] as const

/** Facts about no workload in particular, which do not belong to the story of one. */
const OF_THE_WHOLE = [
  'virtualServices',
  'unusedGateways',
  'unboundHosts',
  'ztunnelPolicies',
  'notSentToZtunnel',
  'waypoints',
  'nowhere',
] as const

/** Facts that are told by workload and then by `host:port`. */
const BY_TARGET = ['outbound', 'routes', 'otherRoutes'] as const

/** The facts about some workloads, and of what they do towards some targets. Undefined: all. */
export function narrowFacts(
  facts: JsonObject,
  workloads: ReadonlySet<string> | undefined,
  isTarget: ((target: string) => boolean) | undefined,
): JsonObject {
  const narrowed: Record<string, Json | undefined> = { ...facts }
  if (workloads !== undefined) {
    for (const name of OF_THE_WHOLE) delete narrowed[name]
    for (const name of BY_WORKLOAD)
      if (isObject(facts[name])) narrowed[name] = pick(facts[name], (key) => workloads.has(key))
  }
  if (isTarget !== undefined) {
    for (const name of BY_TARGET) {
      const targets = Object.entries(asObject(narrowed[name])).map(
        ([key, member]) => [key, pick(member, isTarget)] as const,
      )
      if (narrowed[name] !== undefined) narrowed[name] = Object.fromEntries(targets)
    }
  }
  return narrowed
}

/** The workloads that a person calls by `namespace/name`: a pod, what its pods are made of, or a Service in front of them. */
export function workloadsCalled(snapshot: MeshSnapshot, asked: string): ReadonlySet<string> {
  const [namespace = '', name = ''] = asked.split('/')
  const found = allWorkloads(snapshot).filter((workload) => {
    if (workload.namespace !== namespace) return false
    if (workload.name === name || nameOf(workload.object) === name) return true
    const isReplica = workload.form === 'pod' && isMadeBy(workload.name, name)
    return isReplica || servicesInFrontOf(snapshot, workload).some(({ object }) => nameOf(object) === name)
  })
  return new Set(found.map(workloadName))
}

/** Kubernetes names pods after their Deployment (`name-hash-hash`), StatefulSet (`name-0`) or DaemonSet (`name-hash`). */
function isMadeBy(pod: string, name: string): boolean {
  return pod.startsWith(`${name}-`) && /^(?:[a-z0-9]{1,10}-)?[a-z0-9]{1,5}$/.test(pod.slice(name.length + 1))
}

function decidersOf(
  snapshot: MeshSnapshot,
  workload: Workload,
  requests: readonly Request[],
): ReadonlyMap<string, string> {
  const mode = (port?: number): string => {
    const { object, field } = effectiveMtls(snapshot, workload, port)
    return object === undefined
      ? "Istio's default"
      : `PeerAuthentication ${namespaceOf(object)}/${nameOf(object)} ${field}`
  }
  const deciders = new Map([['other', mode()]])
  for (const { number } of workload.ports) deciders.set(String(number), mode(number))
  if (requests.length === 0) return deciders
  for (const { port, rules, judge } of accessTo(snapshot, workload)) {
    for (const request of requests) {
      const { verdict, rule } = judge(request)
      const why = rule === undefined ? whyWithoutRule(verdict, rules) : `AuthorizationPolicy ${enforcedRuleName(rule)}`
      deciders.set(`${port.number} ${request.id}`, why === '' ? mode(port.number) : why)
    }
  }
  return deciders
}

/** What brought a verdict about where no rule did; empty where the mTLS mode of the port did. */
function whyWithoutRule(verdict: Verdict, rules: EnforcedRules): string {
  switch (verdict) {
    case 'allow':
      return rules.ALLOW === undefined ? 'nothing forbids it' : 'no rule forbids it'
    case 'deny':
      return `no ALLOW rule matches: ${(rules.ALLOW ?? []).map(enforcedRuleName).join(', ') || 'there is none'}`
    case 'bad-token':
      return 'the issuer of its token is in no RequestAuthentication'
    case 'refused':
    case 'no-mtls':
      return ''
  }
}

function workloadName({ namespace, name }: Workload): string {
  return `${namespace}/${name}`
}

function pick(value: Json | undefined, isWanted: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(asObject(value)).filter(([key]) => isWanted(key)))
}
