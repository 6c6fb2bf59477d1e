import { asList, asObject } from '../../kube/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isExportedTo } from '../exports.ts'
import { block, texts } from '../fields.ts'
import { meshConfigMapOf, meshConfigOf, type OutboundTrafficPolicy } from '../mesh-config.ts'
import { httpPortsOf, type HttpPort } from '../orphan-routes.ts'
import { portOf, serviceExports, servicesWithHost, type MeshService } from '../registry.ts'
import { visibleServices } from '../scope-contents.ts'
import { outboundPolicyOf, type Scope } from '../sidecar.ts'
import type { MeshSnapshot } from '../snapshot.ts'
import { visibleService } from '../visibility.ts'
import type { Decider } from './step.ts'

/** Why a client does not see a port of a host, in words and with what decides. */
export interface Blindness {
  readonly text: string
  readonly by: Decider | undefined
}

/** Why the proxies of a scope do not see a port of a host that the registry has. */
export function whyUnseen(snapshot: MeshSnapshot, scope: Scope, host: string, port: number): Blindness {
  const services = servicesWithHost(snapshot, host)
  const withPort = services.filter((service) => portOf(service, port) !== undefined)
  const [first] = withPort
  if (first === undefined) return withoutPort(services, host, port)
  const exported = withPort.find((service) => isExportedTo(serviceExports(snapshot, service), scope.namespace))
  if (exported === undefined) {
    return { text: `${host} is not exported to namespace ${scope.namespace}`, by: exportDecider(snapshot, first) }
  }
  const seen = visibleService(snapshot, scope, host)
  if (scope.sidecar !== undefined && (seen === undefined || seen.object === exported.object)) {
    return sidecarHides(scope, scope.sidecar, `${exported.namespace}/${host}`, port)
  }
  const owner = seen?.object ?? exported.object
  const text = `namespace ${scope.namespace} knows ${host} by another object, which has no port ${port}`
  return { text, by: { object: owner, field: 'spec.ports' } }
}

/** Where a host is that has no such port: a Service, a ServiceEntry. */
function withoutPort(services: readonly MeshService[], host: string, port: number): Blindness {
  const [service] = services
  if (service === undefined) return { text: `the registry has no ${host}`, by: undefined }
  const ports = service.ports.map(({ number }) => number).join(', ') || 'none'
  return { text: `${host} has no port ${port}, but ${ports}`, by: { object: service.object, field: 'spec.ports' } }
}

function sidecarHides(scope: Scope, sidecar: KubeObject, host: string, port: number): Blindness {
  const egress = asList(asObject(sidecar.spec).egress).map(asObject)
  const imports = egress.flatMap(({ hosts }) => texts(hosts))
  const own = scope.listeners.find((listener) => listener.port === port)
  const [only] = scope.listeners.length === 1 ? scope.listeners : [own]
  const shown = imports.length > MOST_SHOWN ? `${imports.slice(0, MOST_SHOWN).join(', ')}, …` : imports.join(', ')
  return {
    text: `the Sidecar imports [${shown}], and so not ${host}:${port}`,
    by: { object: sidecar, field: only === undefined ? 'spec.egress' : `${only.field}.hosts` },
  }
}

function exportDecider(snapshot: MeshSnapshot, { source, object, exportTo }: MeshService): Decider | undefined {
  if (exportTo.length === 0) return meshDecider(snapshot, 'defaultServiceExportTo')
  const field = source === 'Service' ? 'metadata.annotations["networking.istio.io/exportTo"]' : 'spec.exportTo'
  return { object, field }
}

/** A setting of MeshConfig as what decides; undefined where the mesh leaves it at Istio's default. */
export function meshDecider(snapshot: MeshSnapshot, setting: string): Decider | undefined {
  const object = meshConfigMapOf(snapshot)
  if (object === undefined || meshConfigOf(snapshot).settings[setting] === undefined) return undefined
  return { object, field: `data.mesh ${setting}` }
}

/** What becomes of traffic that a sidecar has no place for. */
export interface UnseenFate {
  readonly policy: OutboundTrafficPolicy
  readonly by: Decider | undefined
}

/** What the proxies of a scope do with a request to a host that they do not see. istio: networking/core/route/route.go, listener.go. */
export function fateOfUnseen(snapshot: MeshSnapshot, scope: Scope): UnseenFate {
  const own = block(asObject(scope.sidecar?.spec).outboundTrafficPolicy)
  return {
    policy: outboundPolicyOf(snapshot, scope),
    by:
      own === undefined || scope.sidecar === undefined
        ? meshDecider(snapshot, 'outboundTrafficPolicy')
        : { object: scope.sidecar, field: 'spec.outboundTrafficPolicy.mode' },
  }
}

/** The port, if the proxies of a scope serve HTTP on it for whatever host. */
export function servedHttpPort(snapshot: MeshSnapshot, scope: Scope, port: number): HttpPort | undefined {
  const hosts = [...visibleServices(snapshot, scope).keys()]
  return httpPortsOf(snapshot, scope, hosts).find((served) => served.port === port)
}

const MOST_SHOWN = 5
