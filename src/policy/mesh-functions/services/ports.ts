import { asObject } from '../../../kube/json.ts'
import { labelsOf, labelValue, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { workloadsOf } from '../../../mesh/endpoints.ts'
import { blocks, number, placedBlocks, text } from '../../../mesh/fields.ts'
import { servicesInFrontOf } from '../../../mesh/inbound.ts'
import { SYSTEM_NAMESPACES } from '../../../mesh/injection.ts'
import { kindNameOf, KINDS } from '../../../mesh/kinds.ts'
import { servicesOf, type MeshService, type ServicePort } from '../../../mesh/registry.ts'
import { sidecarFor } from '../../../mesh/sidecar.ts'
import { isSameObject, refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { hasSidecar, resolvePort, workloadOf, type Workload } from '../../../mesh/workloads.ts'
import { nameOf, relatedTo, type MeshFinding } from '../finding.ts'
import type { Find } from '../findings-function.ts'

/** Ports whose name says no protocol, so that Istio has to guess it; not of what Kubernetes and Istio make for themselves. */
export const undeclaredProtocols: Find = (_context, object) => {
  if (SYSTEM_NAMESPACES.has(namespaceOf(object)) || isMadeByIstio(object)) return []
  const ports = placedBlocks(asObject(object.spec).ports)
  const [service] = servicesOf(object)
  if (service === undefined || service.resolution === 'alias') return []
  return ports.flatMap(([index, port]) => {
    const known = service.ports.find((each) => each.number === port.port)
    if (known?.protocol !== 'unsupported') return []
    const name = text(port.name) ?? ''
    const protocol = USUAL_PROTOCOLS[number(port.port) ?? 0]
    return [
      {
        field: `spec.ports[${index}].name`,
        message:
          name === ''
            ? `port ${known.number} has neither a name nor an appProtocol, so Istio guesses from the first bytes what it speaks`
            : `the name "${name}" of port ${known.number} says no protocol, so Istio guesses from the first bytes what it speaks`,
        remediation: `write <protocol>[-suffix] as its name, or appProtocol: http, http2, grpc, tcp, tls, …`,
        ...(protocol === undefined
          ? {}
          : { fix: [{ op: 'add', path: `/spec/ports/${index}/appProtocol`, value: protocol }] }),
      },
    ]
  })
}

/** The Service of a Gateway that Istio runs, or a part of Istio itself. istio: config/analysis/analyzers/util IsIstioControlPlane. */
function isMadeByIstio(object: KubeObject): boolean {
  const labels = labelsOf(object)
  if (labelValue(labels, 'gateway.istio.io/managed') !== undefined) return true
  return labelValue(labels, 'istio') !== undefined || labelValue(labels, 'release') === 'istio'
}

/** Ports whose number leaves little doubt. */
const USUAL_PROTOCOLS: Readonly<Record<number, string>> = { 80: 'http', 8080: 'http', 443: 'https', 8443: 'https' }

/**
 * A port of a workload for which Services say different protocols; from either side. Its sidecar has one way to take the port;
 * without a sidecar, each client goes by the Service that it calls.
 */
export const differentProtocols: Find = (context, object, params) => {
  const mesh = discoveredMesh(context.mesh)
  const isService = kindNameOf(object) === KINDS.service
  const workloads = isService
    ? servicesOf(object).flatMap((service) => workloadsOf(mesh, service))
    : [workloadOf(object)]
  for (const workload of workloads) {
    if (workload === undefined || !hasSidecar(mesh, workload)) continue
    const claim = conflictOf(mesh, workload, isService ? object : undefined)
    if (claim === undefined) continue
    const { port, first, second } = claim
    const other = nameOf(context, refOf(second.service.object), params)
    return [
      {
        field: isService ? portField(object, first.port) : '',
        message: isService
          ? `port ${port} of ${workload.name} is ${first.port.protocol} here and ${second.port.protocol} by ${other}: Istio takes what the older Service says`
          : `port ${port} of ${workload.name} is ${first.port.protocol} by ${nameOf(context, refOf(first.service.object), params)} and ${second.port.protocol} by ${other}: Istio takes what the older one says`,
        remediation: 'say the same protocol in both, or lead to different ports',
        related: [
          relatedTo(context, refOf(second.service.object), params, portField(second.service.object, second.port)),
        ],
      },
    ]
  }
  return []
}

interface Claim {
  readonly service: MeshService
  readonly port: ServicePort
}

interface Conflict {
  readonly port: number
  readonly first: Claim
  readonly second: Claim
}

/** Two Services that say different protocols of a port; one of them `own`, where that is given. */
function conflictOf(mesh: MeshSnapshot, workload: Workload, own: KubeObject | undefined): Conflict | undefined {
  const services = servicesInFrontOf(mesh, workload).filter(({ source }) => source === 'Service')
  const claims = services.flatMap((service) => service.ports.map((port) => ({ service, port })))
  const firsts = own === undefined ? claims : claims.filter(({ service }) => isSameObject(service.object, own))
  for (const first of firsts) {
    const port = resolvePort(workload, first.port.target)
    const second = claims.find(
      (other) =>
        !isSameObject(other.service.object, first.service.object) &&
        other.port.protocol !== first.port.protocol &&
        resolvePort(workload, other.port.target) === port,
    )
    if (port !== undefined && second !== undefined) return { port, first, second }
  }
  return undefined
}

function portField(service: KubeObject, { number: wanted }: ServicePort): string {
  const found = placedBlocks(asObject(service.spec).ports).find(([, { port }]) => port === wanted)
  return found === undefined ? 'spec.ports' : `spec.ports[${found[0]}]`
}

/** Ports of a Service on which a container listens for its own pod alone; from either side. */
export const localListeners: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  const found: MeshFinding[] = []
  const isService = kindNameOf(object) === KINDS.service
  const workload = isService ? undefined : workloadOf(object)
  const services = workload === undefined ? servicesOf(object) : servicesInFrontOf(mesh, workload)
  for (const service of services) {
    for (const each of workload === undefined ? workloadsOf(mesh, service) : [workload]) {
      for (const port of service.ports) {
        const target = resolvePort(each, port.target)
        const listener = target === undefined ? undefined : listenerOn(each, target)
        if (listener === undefined || isForwarded(mesh, each, target)) continue
        const field = isService ? portField(object, port) : ''
        if (found.some((known) => known.field === field)) continue
        found.push({
          field,
          message: `${service.object.kind} ${namespaceOf(service.object)}/${service.host.split('.')[0] ?? ''} leads to port ${target ?? ''} of ${each.name}, which listens for its own pod alone ("${listener}"): every call is refused`,
          remediation:
            'let it listen on 0.0.0.0, or give its Sidecar an ingress for the port with a defaultEndpoint on 127.0.0.1',
        })
      }
    }
  }
  return found
}

/** What a container is told that makes it listen on a port for its own pod alone. */
function listenerOn({ spec }: Workload, port: number): string | undefined {
  for (const { name, env, command, args } of blocks(spec.containers)) {
    if (name === 'istio-proxy') continue
    const variables = blocks(env).flatMap((each) => {
      const value = text(each.value) ?? ''
      return LISTENS.test(`--${text(each.name) ?? ''}`.toLowerCase().replaceAll('_', '-')) && isLocal(value, port)
        ? [value]
        : []
    })
    const words = [command, args].flatMap((list) => (Array.isArray(list) ? list : []))
    const flags = words.flatMap((word, index) => {
      const written = text(word) ?? ''
      const [flag = '', value] = written.split(/=(.*)/s)
      if (value !== undefined) return LISTENS.test(flag) && isLocal(value, port) ? [written] : []
      const before = text(words[index - 1]) ?? ''
      return LISTENS.test(before) && isLocal(written, port) ? [`${before} ${written}`] : []
    })
    const [first] = [...variables, ...flags]
    if (first !== undefined) return first
  }
  return undefined
}

const LISTENS = /^--?(?:b|l|(?:[a-z-]*-)?(?:listen|bind|addr|address)(?:-[a-z-]*)?)$/

function isLocal(value: string, port: number): boolean {
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`].includes(value.trim())
}

/** Does the workload's Sidecar lead the port to where the container listens? */
function isForwarded(mesh: MeshSnapshot, workload: Workload, port: number | undefined): boolean {
  const sidecar = sidecarFor(mesh, workload)
  return blocks(asObject(sidecar?.spec).ingress).some((each) => asObject(each.port).number === port)
}
