import type { JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf } from '../kube/object.ts'
import { calledHost } from '../mesh/conversation/called-host.ts'
import type { Decider, Ending, Step } from '../mesh/conversation/step.ts'
import { conversationOf, type Conversation } from '../mesh/conversation.ts'
import { instanceOfGateway } from '../mesh/gateway-instance.ts'
import { KINDS } from '../mesh/kinds.ts'
import { servicesWithHost } from '../mesh/registry.ts'
import { parseRequest, type Request } from '../mesh/request.ts'
import type { MeshSnapshot } from '../mesh/snapshot.ts'
import { gatewayRunBy } from '../mesh/waypoint-attachment.ts'
import { allWorkloads, workloadsIn, type Workload } from '../mesh/workloads.ts'
import { workloadsCalled } from './inspect-mesh.ts'

/** Who calls whom, and with which requests; without any, `GET /`. */
export interface ConverseQuery {
  /** By `namespace/name`; where none of them runs, Gateways of the Gateway API. */
  readonly workloads: ReadonlySet<string>
  /** `host:port`; without a port, every port that the host has. */
  readonly to: string
  readonly requests: readonly Request[]
}

/** A conversation, and the clients whose it is: replicas are told once. */
export interface ToldConversation {
  readonly clients: readonly string[]
  readonly conversation: Conversation
}

/** Who calls when a person says `namespace/name`: workloads or, by the name of their Gateway, gateways and waypoints, running or not. */
export function callersCalled(snapshot: MeshSnapshot, asked: string): ReadonlySet<string> {
  const [namespace = '', name = ''] = asked.split('/')
  const workloads = workloadsCalled(snapshot, asked)
  if (workloads.size > 0) return workloads
  const gateway = snapshot.get(KINDS.k8sGateway, namespace, name)
  if (gateway === undefined) return workloads
  const pods = workloadsIn(snapshot, namespace).filter((workload) => gatewayRunBy(snapshot, workload) === gateway)
  return new Set(pods.length === 0 ? [asked] : pods.map((pod) => `${namespace}/${pod.name}`))
}

/** What becomes of the requests of some workloads to a host, from the name that they call to who answers. */
export function converse(
  snapshot: MeshSnapshot,
  { workloads, to, requests }: ConverseQuery,
): readonly ToldConversation[] {
  const running = allWorkloads(snapshot).filter(({ namespace, name }) => workloads.has(`${namespace}/${name}`))
  const clients = running.length > 0 ? running : gatewaysToRun(snapshot, workloads)
  const told = new Map<string, { readonly clients: string[]; readonly conversation: Conversation }>()
  for (const client of clients) {
    const { host, ports } = targetOf(snapshot, client.namespace, to)
    for (const port of ports) {
      for (const request of requests.length === 0 ? PLAIN : requests) {
        const conversation = conversationOf(snapshot, { client, host, port, request })
        const key = JSON.stringify([client.namespace, conversationFact({ clients: [], conversation })])
        const known = told.get(key)
        if (known === undefined) told.set(key, { clients: [`${client.namespace}/${client.name}`], conversation })
        else known.clients.push(`${client.namespace}/${client.name}`)
      }
    }
  }
  return [...told.values()]
}

/** A conversation as JSON: a decider is `{ kind, namespace, name, field }`, and absent where Istio's default decides. */
export function conversationFact({ clients, conversation }: ToldConversation): JsonObject {
  const { host, port, request, steps, verdict } = conversation
  const { id, method, path } = request
  return {
    clients,
    to: `${host}:${port}`,
    request: { ...(id === '' ? {} : { id }), method, path },
    verdict: endingFact(verdict),
    steps: steps.map(stepFact),
  }
}

function gatewaysToRun(snapshot: MeshSnapshot, names: ReadonlySet<string>): readonly Workload[] {
  return [...names].flatMap((each): readonly Workload[] => {
    const [namespace = '', name = ''] = each.split('/')
    const gateway = snapshot.get(KINDS.k8sGateway, namespace, name)
    return gateway === undefined ? [] : [instanceOfGateway(snapshot, gateway)]
  })
}

function stepFact({ topic, text, by, branch }: Step): JsonObject {
  return { topic, ...(branch === '' ? {} : { branch }), text, ...deciderFact(by) }
}

function endingFact({ outcome, sees, why, by }: Ending): JsonObject {
  return { outcome, sees, why, ...deciderFact(by) }
}

function deciderFact(by: Decider | undefined): JsonObject {
  if (by === undefined) return {}
  const { object, field } = by
  return { by: { kind: object.kind, namespace: namespaceOf(object), name: nameOf(object), field } }
}

function targetOf(
  snapshot: MeshSnapshot,
  namespace: string,
  to: string,
): { readonly host: string; readonly ports: readonly number[] } {
  const [, written = to, port] = /^(.*?)(?::(\d+))?$/.exec(to) ?? []
  // an address of IPv6 stands in brackets before a port
  const host = written.replace(/^\[(.*)\]$/, '$1')
  if (port !== undefined) return { host, ports: [Number(port)] }
  const called = calledHost(snapshot, namespace, host)
  const services = called.kind === 'registered' ? servicesWithHost(snapshot, called.host) : []
  const ports = new Set(services.flatMap((service) => service.ports.map(({ number }) => number)))
  return { host, ports: ports.size === 0 ? [HTTP] : [...ports] }
}

const HTTP = 80
const PLAIN: readonly Request[] = [parseRequest({}) ?? []].flat()
