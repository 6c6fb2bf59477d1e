import { asObject, type JsonObject } from '../../../kube/json.ts'
import { namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { destinationRuleFor, ruleHost, type MergedRule } from '../../../mesh/destination-rule.ts'
import { isInMesh } from '../../../mesh/ambient-enrolment.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { workloadsOf } from '../../../mesh/endpoints.ts'
import { block, blocks, text } from '../../../mesh/fields.ts'
import { isCoveredBy, isWildcard } from '../../../mesh/hosts.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { memo } from '../../../mesh/memo.ts'
import { meshConfigOf } from '../../../mesh/mesh-config.ts'
import { effectiveMtls, isWorkloadMode, modesWrittenIn, type EffectiveMtls } from '../../../mesh/peer-authentication.ts'
import { servicesOf, servicesWithHost, type MeshService } from '../../../mesh/registry.ts'
import { isSameObject, refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { effectivePolicy, type PlacedBlock } from '../../../mesh/traffic-policy.ts'
import { hasSidecar, resolvePort } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

/** A client's setting that a server refuses. */
interface Refusal {
  readonly tls: PlacedBlock
  /** What is called, as it is named: `cart.shop.svc.cluster.local:80`. */
  readonly called: string
  readonly decided: EffectiveMtls
}

/** A DestinationRule that sends plaintext, or TLS without the mesh's certificate, to what accepts mTLS only; from either side. */
export const refusedClients: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  if (kindNameOf(object) === KINDS.destinationRule) {
    return refusalsOf(mesh, object).map((refusal) =>
      isCertain(context, object, refusal)
        ? refusedHere(context, refusal, params)
        : { field: `${refusal.tls.field}.mode`, outcome: 'skip' },
    )
  }
  if (!modesWrittenIn(object).has('STRICT')) return []
  const found: (MeshFinding | SkippedPlace)[] = []
  for (const rule of mesh.all(KINDS.destinationRule)) {
    const refusal = refusalsOf(mesh, rule).find(
      ({ decided }) => decided.object !== undefined && isSameObject(decided.object, object),
    )
    if (refusal === undefined) continue
    if (isCertain(context, rule, refusal)) found.push(refusedThere(context, { rule, refusal }, params))
    else found.push({ field: refusal.decided.field, outcome: 'skip' })
  }
  return found
}

/** Beside a few files there may be a rule for a host under this wildcard, or a policy for the workload with a mode of its own. */
function isCertain({ knowledge }: MeshContext, rule: KubeObject, { decided }: Refusal): boolean {
  return knowledge === 'whole' || (!isWildcard(ruleHost(rule)) && isWorkloadMode(decided))
}

function refusedHere(context: MeshContext, { tls, called, decided }: Refusal, params: JsonObject): MeshFinding {
  const by = decided.object === undefined ? '' : ` (${nameOf(context, refOf(decided.object), params)})`
  return {
    field: `${tls.field}.mode`,
    message: `tls mode ${modeOf(tls)} towards ${called} cannot work: it accepts mTLS only${by}, so requests get 503`,
    remediation: 'remove tls, which leaves mTLS to Istio, or set mode to ISTIO_MUTUAL',
    related: decided.object === undefined ? [] : [relatedTo(context, refOf(decided.object), params, decided.field)],
  }
}

function refusedThere(
  context: MeshContext,
  { rule, refusal }: { readonly rule: KubeObject; readonly refusal: Refusal },
  params: JsonObject,
): MeshFinding {
  const { tls, called, decided } = refusal
  return {
    field: decided.field,
    message: `STRICT breaks calls to ${called}: ${nameOf(context, refOf(rule), params)} uses tls mode ${modeOf(tls)} there, and they get 503`,
    remediation: 'remove the tls of that DestinationRule first, or set its mode to ISTIO_MUTUAL',
    related: [relatedTo(context, refOf(rule), params, `${tls.field}.mode`)],
  }
}

/** What a DestinationRule sends that a server behind its host refuses: one for each place where it is written. */
function refusalsOf(mesh: MeshSnapshot, rule: KubeObject): readonly Refusal[] {
  const places = placesOfOtherTls(rule)
  if (places === 0) return []
  const found = new Map<string, Refusal>()
  const client = { namespace: namespaceOf(rule), labels: {} }
  let isKnown = false
  for (const service of servicesUnder(mesh, ruleHost(rule))) {
    isKnown = true
    if (found.size === places) break
    const merged = destinationRuleFor(mesh, client, service)
    for (const { tls, port } of tlsBlocks(mesh, merged, service)) {
      if (tls.object === undefined || !isSameObject(tls.object, rule) || !REFUSED.has(tls.value.mode)) continue
      if (found.has(tls.field)) continue
      const decided = strictServer(mesh, service, port)
      if (decided !== undefined) found.set(tls.field, { tls, called: `${service.host}:${port}`, decided })
    }
  }
  return isKnown ? [...found.values()] : refusalByName(mesh, rule)
}

function modeOf({ value }: PlacedBlock): string {
  return text(value.mode) ?? ''
}

/** What accepts mTLS only behind a port: the first such workload or, where none is known, the namespace as a whole. */
function strictServer(mesh: MeshSnapshot, service: MeshService, number: number): EffectiveMtls | undefined {
  const port = service.ports.find((each) => each.number === number)
  if (port === undefined) return undefined
  const workloads = workloadsOf(mesh, service)
  if (workloads.length === 0)
    return service.selector === undefined ? undefined : strictNamespace(mesh, service.namespace)
  for (const workload of workloads) {
    const decided = effectiveMtls(mesh, workload, resolvePort(workload, port.target))
    if (decided.mode === 'STRICT' && hasSidecar(mesh, workload)) return decided
  }
  return undefined
}

function strictNamespace(mesh: MeshSnapshot, namespace: string): EffectiveMtls | undefined {
  const decided = effectiveMtls(mesh, { namespace, labels: {} })
  return decided.mode === 'STRICT' ? decided : undefined
}

/** A host of the cluster of which no service is known is judged by the namespace in its name. */
function refusalByName(mesh: MeshSnapshot, rule: KubeObject): readonly Refusal[] {
  const host = ruleHost(rule)
  const namespace = IN_CLUSTER.exec(host)?.[1]
  if (namespace === undefined) return []
  const { tls } = effectivePolicy(
    mesh,
    destinationRuleFor(mesh, { namespace: namespaceOf(rule), labels: {} }, { host, namespace }),
    0,
  )
  if (tls?.object === undefined || !isSameObject(tls.object, rule) || !REFUSED.has(tls.value.mode)) return []
  const decided = strictNamespace(mesh, namespace)
  return decided === undefined ? [] : [{ tls, called: host, decided }]
}

const IN_CLUSTER = /^[^.]+\.([^.]+)\.svc\.cluster\.local$/

function tlsBlocks(
  mesh: MeshSnapshot,
  rule: MergedRule | undefined,
  { ports }: MeshService,
): readonly { readonly tls: PlacedBlock; readonly port: number }[] {
  const subsets = [undefined, ...(rule?.subsets ?? []).map(({ name }) => name)]
  return ports.flatMap(({ number }) =>
    subsets.flatMap((subset) => {
      const { tls } = effectivePolicy(mesh, rule, number, subset)
      return tls === undefined ? [] : [{ tls, port: number }]
    }),
  )
}

/** The services with a host, or with one under a wildcard; those may be a great many, and often the first ones tell enough. */
function* servicesUnder(mesh: MeshSnapshot, host: string): Generator<MeshService> {
  if (!isWildcard(host)) return yield* servicesWithHost(mesh, host)
  for (const kind of [KINDS.service, KINDS.serviceEntry]) {
    for (const object of mesh.all(kind)) {
      for (const service of servicesOf(object)) if (isCoveredBy(service.host, host)) yield service
    }
  }
}

/** In how many places a client's mode is written that a sidecar with STRICT refuses. */
const placesOfOtherTls: (rule: KubeObject) => number = memo((rule) => {
  const { trafficPolicy, subsets } = asObject(rule.spec)
  const policies = [block(trafficPolicy), ...blocks(subsets).map((subset) => block(subset.trafficPolicy))]
  const all = policies.flatMap((policy) => (policy === undefined ? [] : [policy, ...blocks(policy.portLevelSettings)]))
  return all.filter(({ tls }) => REFUSED.has(asObject(tls).mode)).length
})

const REFUSED: ReadonlySet<unknown> = new Set(['DISABLE', 'SIMPLE'])

/** The tls of a wider DestinationRule that this one, without any, takes away: nothing is merged across hosts. */
export const droppedTls: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const host = ruleHost(object)
  const client = { namespace: namespaceOf(object), labels: {} }
  const [known] = servicesUnder(mesh, host)
  const service = known ?? { host, namespace: client.namespace, ports: [] }
  const port = known?.ports[0]?.number ?? 0
  const rule = destinationRuleFor(mesh, client, service)
  if (rule === undefined || !rule.from.some((from) => isSameObject(from, object))) return []
  if (effectivePolicy(mesh, rule, port).tls !== undefined) return []
  const wider = destinationRuleFor(mesh.without(refOf(object)), client, service)
  const lost = effectivePolicy(mesh, wider, port).tls
  if (lost?.object === undefined || wider?.host === host || !isLoss(mesh, lost, known)) return []
  const isAbsent = block(asObject(object.spec).trafficPolicy) === undefined
  const tls = { ...lost.value }
  return [
    {
      field: 'spec.trafficPolicy.tls',
      message: `${host} loses tls mode ${modeOf(lost)} of ${nameOf(context, refOf(lost.object), params)}: this rule replaces that one as a whole and sets no tls, so requests go out in plaintext`,
      remediation: `set trafficPolicy.tls as there, mode ${modeOf(lost)}`,
      fix: [
        isAbsent
          ? { op: 'add', path: '/spec/trafficPolicy', value: { tls } }
          : { op: 'add', path: '/spec/trafficPolicy/tls', value: tls },
      ],
      related: [relatedTo(context, refOf(lost.object), params, lost.field)],
    },
  ]
}

/** With automatic mTLS, a rule that only asks for the mesh's mTLS is no loss, nor any TLS towards what is in the mesh. */
function isLoss(mesh: MeshSnapshot, { value }: PlacedBlock, service: MeshService | undefined): boolean {
  const { enableAutoMtls } = meshConfigOf(mesh)
  if (
    enableAutoMtls &&
    service !== undefined &&
    workloadsOf(mesh, service).some((workload) => isInMesh(mesh, workload))
  )
    return false
  if (value.mode === 'ISTIO_MUTUAL') return !enableAutoMtls
  return value.mode === 'SIMPLE' || value.mode === 'MUTUAL'
}
