import { setImmediate as pause } from 'node:timers/promises'

import type { KubeObject } from '../../src/kube/object.ts'
import { accessTo } from '../../src/mesh/access.ts'
import { worstPathThrough } from '../../src/mesh/amplification.ts'
import { nodeOf } from '../../src/mesh/call-node.ts'
import { clustersFor } from '../../src/mesh/cluster.ts'
import { defaultDenyOf } from '../../src/mesh/default-deny.ts'
import { destinationRuleFor, subsetExists } from '../../src/mesh/destination-rule.ts'
import { serviceHost } from '../../src/mesh/hosts.ts'
import { KINDS } from '../../src/mesh/kinds.ts'
import { effectiveMtls } from '../../src/mesh/peer-authentication.ts'
import { hostExists, portOf } from '../../src/mesh/registry.ts'
import { routesTo } from '../../src/mesh/routes.ts'
import { selectedWorkloads } from '../../src/mesh/selection.ts'
import { scopeFor } from '../../src/mesh/sidecar.ts'
import { buildInSlices, type MeshSnapshot } from '../../src/mesh/snapshot.ts'
import { visibleService } from '../../src/mesh/visibility.ts'
import { workloadOf, type Workload } from '../../src/mesh/workloads.ts'
import { trimObject } from '../../src/sources/cluster/trim-object.ts'
import type { MeshSize } from '../generate-mesh.ts'
import { stored } from './stored.ts'
import { summarizeShort, timed, type Row } from './times.ts'

/** A question, asked of a workload and a host of a mesh. */
type Question = (snapshot: MeshSnapshot, workload: Workload, host: string, object: KubeObject) => unknown

const QUESTIONS: Readonly<Record<string, Question>> = {
  'effective mTLS of a port': (snapshot, workload) => effectiveMtls(snapshot, workload, 8080),
  'host exists': (snapshot, workload, host) => hostExists(snapshot, host, workload.namespace),
  'what a client sees of a host': (snapshot, workload, host) =>
    visibleService(snapshot, scopeFor(snapshot, workload), host),
  'rule and subset': (snapshot, workload, host) => {
    const service = visibleService(snapshot, scopeFor(snapshot, workload), host)
    if (service === undefined) return undefined
    return [destinationRuleFor(snapshot, workload, service), subsetExists(snapshot, workload, service, 'v1')]
  },
  'clusters with endpoints': (snapshot, workload, host) => {
    const service = visibleService(snapshot, scopeFor(snapshot, workload), host)
    const port = service === undefined ? undefined : portOf(service, 80)
    return service === undefined || port === undefined ? undefined : clustersFor(snapshot, workload, service, port)
  },
  routes: (snapshot, workload, host) => routesTo(snapshot, scopeFor(snapshot, workload), workload, host, 80),
  'access to a workload': (snapshot, workload) => accessTo(snapshot, workload),
  'default deny': (snapshot, workload) => defaultDenyOf(snapshot, workload.namespace),
  'workloads of a policy': (snapshot, _workload, _host, object) => selectedWorkloads(snapshot, object),
  'worst path of retries': (snapshot, workload) => worstPathThrough(snapshot, nodeOf(workload)),
}

const SAMPLES = 2000
const ASKED_NAMESPACES = 50

/** Every question, many times over a mesh as it is; some also right after one of its objects has changed. */
export function measureQuestions(
  snapshot: MeshSnapshot,
  objects: readonly KubeObject[],
  size: MeshSize,
): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>()
  rows.set('one object changed', changes(snapshot, objects))
  rows.set('one event of a watch, from its text', events(snapshot, objects))
  for (const [name, question] of Object.entries(QUESTIONS)) rows.set(name, ask(snapshot, size, question, 'as it is'))
  for (const name of ['routes', 'worst path of retries']) {
    const question = QUESTIONS[name]
    if (question !== undefined) rows.set(`${name}, one object changed`, ask(snapshot, size, question, 'overlaid'))
  }
  return rows
}

/** Builds a mesh in slices. In milliseconds on the clock: how long it took, and the longest slice. */
export async function buildMesh(
  objects: Iterable<KubeObject>,
): Promise<{ readonly snapshot: MeshSnapshot; readonly total: number; readonly longest: number }> {
  const slices = buildInSlices(objects)
  const start = performance.now()
  let longest = 0
  for (;;) {
    const before = performance.now()
    const step = slices.next()
    longest = Math.max(longest, performance.now() - before)
    if (step.done === true) return { snapshot: step.value, total: performance.now() - start, longest }
    await pause()
  }
}

function changes(snapshot: MeshSnapshot, objects: readonly KubeObject[]): Row {
  const works: (() => unknown)[] = []
  let current = snapshot
  for (let sample = 0; sample < SAMPLES; sample++) {
    const object = objects[(sample * 7919) % objects.length]
    if (object === undefined) continue
    const changed: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(sample) } }
    works.push(() => (current = current.with(changed)))
  }
  return summarizeShort(works.map(timed))
}

function events(snapshot: MeshSnapshot, objects: readonly KubeObject[]): Row {
  const works: (() => unknown)[] = []
  let current = snapshot
  for (let sample = 0; sample < SAMPLES; sample++) {
    const object = objects[(sample * 7919) % objects.length]
    if (object === undefined) continue
    const text = JSON.stringify(stored(object, sample))
    works.push(() => {
      const trimmed = trimObject(JSON.parse(text), object.kind, object.apiVersion)
      if (trimmed !== undefined) current = current.with(trimmed)
    })
  }
  return summarizeShort(works.map(timed))
}

function ask(snapshot: MeshSnapshot, size: MeshSize, question: Question, state: 'as it is' | 'overlaid'): Row {
  const works: (() => unknown)[] = []
  for (let sample = 0; sample < SAMPLES; sample++) {
    // as many namespaces in either mesh, so that both are as warm
    const own = ((sample * 7919) % ASKED_NAMESPACES) * Math.floor(size.namespaces / ASKED_NAMESPACES)
    const namespace = `team-${own}`
    const other = `team-${(own + (sample % 3)) % size.namespaces}`
    const pods = snapshot.inNamespace(KINDS.pod, namespace)
    const pod = pods[(sample * 31) % pods.length]
    const workload = pod === undefined ? undefined : workloadOf(pod)
    const policy = snapshot.inNamespace(KINDS.authorizationPolicy, namespace).at(-1)
    const route = snapshot.inNamespace(KINDS.virtualService, namespace)[0]
    if (workload === undefined || policy === undefined || route === undefined) continue
    const host = serviceHost(`app-${sample % size.servicesPerNamespace}`, other)
    const mesh = (): MeshSnapshot =>
      state === 'overlaid' ? snapshot.with({ ...route, metadata: { ...route.metadata, name: 'new' } }) : snapshot
    works.push(() => question(mesh(), workload, host, policy))
  }
  return summarizeShort(works.map(timed))
}
