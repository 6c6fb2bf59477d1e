import { asObject } from '../../kube/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isCaptured } from '../ambient-enrolment.ts'
import { clustersFor, type ClientTls, type Cluster } from '../cluster.ts'
import { destinationRuleFor, ruleHost, type MergedRule } from '../destination-rule.ts'
import { endpointsOf, type Endpoint } from '../endpoints.ts'
import { blocks, text } from '../fields.ts'
import type { Destination } from '../http-route.ts'
import { isGatewayApi } from '../gateway-api-backends.ts'
import { KINDS } from '../kinds.ts'
import { effectiveMtls } from '../peer-authentication.ts'
import { portOf, servicesWithHost, type MeshService, type ServicePort } from '../registry.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import { visibleService } from '../visibility.ts'
import { walkArrivals, type Arrival, type Transport } from './arrival.ts'
import { identityOf, trafficOf, type ProxyCall } from './call.ts'
import { fails, objectName, step, unknown, type Decider, type Ending, type Walk } from './step.ts'
import { hostDecider } from './entry-field.ts'
import { limitSteps } from './limits.ts'
import { meshDecider, whyUnseen } from './unseen.ts'

/** What becomes of requests that go to a destination; `by`: where a route names it. */
export function* walkDestination(call: ProxyCall, destination: Destination, by: Decider | undefined): Walk {
  const { snapshot, client, scope } = call
  const { host, port: number, subset } = destination
  const service = visibleService(snapshot, scope, host)
  const port = service === undefined ? undefined : portOf(service, number)
  if (service === undefined || port === undefined) return unseenDestination(call, destination, by)
  const rule = destinationRuleFor(snapshot, client, service)
  if (subset !== undefined && rule?.subsets.some(({ name }) => name === subset) !== true) {
    return missingSubset(call, destination, rule, by)
  }
  const cluster = clustersFor(snapshot, client, service, port).get(subset ?? '')
  if (cluster === undefined) return withoutEndpoints(call, { service, rule, destination, by })
  yield step('destination', destinationText(service, number, rule, subset), destinationDecider(service, rule, subset))
  yield* limitSteps(snapshot, cluster.policy, trafficOf(call))
  const cause = transportDecider(call, cluster.tls, service)
  yield step('transport', transportText(cluster.tls, service), cause)
  const arrivals = arrivalsOf(call, service, port, cluster)
  if (arrivals.length === 0) return withoutEndpoints(call, { service, rule, destination, by })
  const identity = identityOf(snapshot, client.namespace, client.serviceAccount)
  const delivery = { ...call, cause, because: '', identity, expected: cluster.tls.subjectAltNames }
  return yield* walkArrivals(delivery, port, arrivals)
}

/** Where a cluster connects to, and how; by the pods behind the name where the application chose the address. */
function arrivalsOf(
  { snapshot }: ProxyCall,
  service: MeshService,
  port: ServicePort,
  { endpoints, tls }: Cluster,
): readonly Arrival[] {
  const reached =
    endpoints ?? addressesOf(snapshot, service, port).map((endpoint) => ({ endpoint, transport: TRANSPORTS[tls.mode] }))
  if (tls.mode !== 'AUTO') return reached
  return reached.map(({ endpoint, transport }): Arrival => {
    const { workload, hasSidecar } = endpoint
    const isAmbient = workload !== undefined && !hasSidecar && isCaptured(snapshot, workload)
    return { endpoint, transport: isAmbient ? 'hbone-or-plaintext' : transport }
  })
}

/** What the application may choose among: the endpoints that are known, else any address that the name has. */
function addressesOf(snapshot: MeshSnapshot, service: MeshService, port: ServicePort): readonly Endpoint[] {
  const known = endpointsOf(snapshot, service, port)
  if (known.length > 0 || service.source === 'Service') return known
  const { host, namespace } = service
  const target = Number(port.target)
  const anywhere = { address: host, port: target, namespace, labels: {}, hasSidecar: false, account: undefined }
  return [{ ...anywhere, name: `${host}:${target}`, workload: undefined }]
}

/** A route that leads to nothing: Envoy has no cluster of that name. */
function unseenDestination(
  { snapshot, scope, brokenAs }: ProxyCall,
  { host, port }: Destination,
  by: Decider | undefined,
): Ending {
  if (servicesWithHost(snapshot, host).length === 0) {
    const why = host === '' ? NO_BACKEND : `the route leads to ${host}, which the registry does not have`
    return fails(withoutCluster(brokenAs, by), why, by === undefined ? undefined : hostDecider(by))
  }
  const { text: why, by: cause } = whyUnseen(snapshot, scope, host, port)
  return fails(withoutCluster(brokenAs, by), `the route leads nowhere: ${why}`, cause ?? by)
}

/** What a route of the Gateway API answers with for a backend that is not there. istio: networking/core/route/route.go ClusterNotFoundResponseCode. */
function withoutCluster(brokenAs: ProxyCall['brokenAs'], by: Decider | undefined): string {
  return brokenAs === '503' && by !== undefined && isGatewayApi(by.object) ? '500' : brokenAs
}

function missingSubset(
  { snapshot, client, brokenAs }: ProxyCall,
  { host, subset = '' }: Destination,
  rule: MergedRule | undefined,
  by: Decider | undefined,
): Ending {
  const other = snapshot
    .all(KINDS.destinationRule)
    .find((object) => ruleHost(object) === host && rule?.from.includes(object) !== true && hasSubset(object, subset))
  const elsewhere = other === undefined ? '' : `; ${objectName(other)} has it, but is not the one in use`
  const [used] = rule?.from ?? []
  if (rule === undefined || used === undefined) {
    const why = `subset "${subset}" is in no DestinationRule that namespace ${client.namespace} uses for ${host}`
    return fails(
      brokenAs,
      why + elsewhere,
      by === undefined ? undefined : { object: by.object, field: `${by.field}.subset` },
    )
  }
  const known = rule.subsets.map(({ name }) => name).join(', ') || 'none'
  return fails(brokenAs, `there is no subset "${subset}" of ${host}, but ${known}${elsewhere}`, {
    object: used,
    field: 'spec.subsets',
  })
}

function hasSubset({ spec }: KubeObject, subset: string): boolean {
  return blocks(asObject(spec).subsets).some(({ name }) => name === subset)
}

/** What a destination turned out to be. */
interface Found {
  readonly service: MeshService
  readonly rule: MergedRule | undefined
  readonly destination: Destination
  /** Where a route names it. */
  readonly by: Decider | undefined
}

function withoutEndpoints(call: ProxyCall, { service, rule, destination, by }: Found): Ending {
  const { brokenAs } = call
  const { subset } = destination
  const { source, selector, object, host } = service
  if (source === 'Service' && selector === undefined) {
    return unknown(`${host} has no selector, and its EndpointSlices are not here`, { object, field: 'spec.selector' })
  }
  const selects = destinationDecider(service, rule, subset)
  const what = subset === undefined ? host : `subset "${subset}" of ${host}`
  // where a route leads elsewhere, it is the route that decides
  if (by !== undefined && subset === undefined && host !== call.host) {
    return fails(brokenAs, `the route leads to ${what}, behind which nothing runs`, hostDecider(by))
  }
  return fails(brokenAs, `nothing that runs here is behind ${what}`, selects)
}

function destinationText(
  { host, resolution, external }: MeshService,
  port: number,
  rule: MergedRule | undefined,
  subset: string | undefined,
): string {
  const [used] = rule?.from ?? []
  const what = subset === undefined ? '' : `subset ${subset} of `
  const kind = external ? ', outside of the mesh' : resolution === 'none' ? ', at the address that was called' : ''
  return `${what}${host}:${port}${kind}, ${used === undefined ? 'no DestinationRule' : `by ${objectName(used)}`}`
}

/** What says which endpoints there are. */
function destinationDecider({ object, source }: MeshService, rule: MergedRule | undefined, subset?: string): Decider {
  const chosen = subset === undefined ? undefined : rule?.subsets.find(({ name }) => name === subset)
  if (chosen !== undefined) {
    const index = blocks(asObject(chosen.object.spec).subsets).findIndex(({ name }) => text(name) === subset)
    return { object: chosen.object, field: `spec.subsets[${index}].labels` }
  }
  return { object, field: source === 'Service' ? 'spec.selector' : 'spec.endpoints' }
}

function transportText({ mode, from }: ClientTls, { external }: MeshService): string {
  switch (mode) {
    case 'AUTO':
      return 'mTLS to pods with a sidecar, plaintext to others: automatic mTLS'
    case 'ISTIO_MUTUAL':
      return 'mTLS, with the identity of the client'
    case 'SIMPLE':
      return "TLS of the client's proxy, without an identity"
    case 'MUTUAL':
      return 'TLS with a certificate of its own, which is no identity of the mesh'
    case 'DISABLE':
      if (from === undefined)
        return external ? 'as the application sends it' : 'plaintext: automatic mTLS takes no part'
      return from.value.mode === 'DISABLE'
        ? 'plaintext'
        : `plaintext: TLS ${text(from.value.mode) ?? 'without a mode'} has no certificate that the proxy could use`
  }
}

function transportDecider(
  { snapshot }: ProxyCall,
  { from }: ClientTls,
  { external, namespace }: MeshService,
): Decider | undefined {
  if (from?.object !== undefined) return { object: from.object, field: `${from.field}.mode` }
  if (external) return undefined
  // automatic mTLS takes no part where the service's namespace as a whole takes plaintext only
  const { mode, object, field } = effectiveMtls(snapshot, { namespace, labels: {} })
  return mode === 'DISABLE' && object !== undefined ? { object, field } : meshDecider(snapshot, 'enableAutoMtls')
}

/** Where the application chose the address, a cluster speaks one transport to whatever is there. */
const TRANSPORTS: Readonly<Record<ClientTls['mode'], Transport>> = {
  AUTO: 'mtls',
  ISTIO_MUTUAL: 'mtls',
  SIMPLE: 'tls',
  MUTUAL: 'tls',
  DISABLE: 'plaintext',
}

const NO_BACKEND =
  'the route may not use its backend: no ReferenceGrant of its namespace allows it, or it is of a kind that Istio does not send to'
