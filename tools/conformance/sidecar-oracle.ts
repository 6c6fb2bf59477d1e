import { asList, asObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { texts } from '../../src/mesh/fields.ts'
import { facts } from '../../src/mesh/facts.ts'
import { entriesOf, readOracle, type OracleMesh } from './oracle-mesh.ts'
import { startTally, type Score, type Tally } from './score.ts'

/** Scores the meshes of the oracle that are about sidecars. */
export function scoreSidecarOracle(folder: string): Score {
  const tally = startTally('istiod-oracle: sidecars')
  for (const mesh of readOracle(folder)) {
    if (mesh.families.includes('gateway') || mesh.families.includes('ambient')) continue
    scoreMesh(tally, mesh)
  }
  return tally.score()
}

function scoreMesh(tally: Tally, mesh: OracleMesh): void {
  const actual = facts(mesh.snapshot, mesh.requests)
  const expected = mesh.facts
  const { id } = mesh
  tally.compare('services', id, sortedServices(expected.services), sortedServices(actual.services))
  for (const question of ['sidecar', 'outboundPolicy'] as const) {
    const ours = asObject(actual[question])
    for (const [workload, answer] of Object.entries(asObject(expected[question]))) {
      tally.compare(question, `${id} ${workload}`, answer, ours[workload])
    }
  }
  for (const [workload, port, mode] of entriesOf(expected.inbound)) {
    tally.compare('inbound', `${id} ${workload} ${port}`, mode, member(actual.inbound, workload, port))
  }
  for (const [workload, target, answer] of entriesOf(expected.outbound)) {
    compareOutbound(tally, `${id} ${workload} ${target}`, answer, member(actual.outbound, workload, target))
  }
  tally.compare('default retries', id, expected.defaultRetries, actual.defaultRetries)
  compareMaps(tally, 'routes', id, expected.routes, actual.routes)
  compareMaps(tally, 'other routes', id, expected.otherRoutes, actual.otherRoutes)
  for (const [workload, port, answer] of entriesOf(expected.access)) {
    compareAccess(tally, `${id} ${workload} ${port}`, asObject(answer), asObject(member(actual.access, workload, port)))
  }
}

function compareOutbound(tally: Tally, place: string, expected: Json | undefined, actual: Json | undefined): void {
  const theirs = asObject(expected)
  const ours = asObject(actual)
  tally.compare('visibility', place, theirs.namespace, ours.namespace)
  if (expected === null) return
  tally.compare('destination rule', place, theirs.destinationRule, ours.destinationRule)
  const clusters = asObject(theirs.clusters)
  tally.compare('subsets', place, Object.keys(clusters).sort(), Object.keys(asObject(ours.clusters)).sort())
  for (const [subset, cluster] of Object.entries(clusters)) {
    const { endpoints, ...policy } = asObject(cluster)
    const { endpoints: ourEndpoints, ...ourPolicy } = asObject(asObject(ours.clusters)[subset])
    tally.compare('effective policy', `${place} "${subset}"`, policy, ourPolicy)
    tally.compare('endpoints', `${place} "${subset}"`, endpoints, ourEndpoints)
  }
}

function compareAccess(tally: Tally, place: string, expected: JsonObject, actual: JsonObject): void {
  const { results, ...filters } = expected
  const { results: ourResults, ...ourFilters } = actual
  tally.compare('access rules', place, withSortedRules(filters), withSortedRules(ourFilters))
  for (const [request, verdict] of Object.entries(asObject(results))) {
    tally.compare('access', `${place} ${request}`, verdict, asObject(ourResults)[request])
  }
}

/** Compares every member that either map has. */
function compareMaps(
  tally: Tally,
  question: string,
  id: string,
  expected: Json | undefined,
  actual: Json | undefined,
): void {
  for (const workload of new Set([...Object.keys(asObject(expected)), ...Object.keys(asObject(actual))])) {
    const theirs = asObject(asObject(expected)[workload])
    const ours = asObject(asObject(actual)[workload])
    for (const target of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      tally.compare(question, `${id} ${workload} ${target}`, theirs[target], ours[target])
    }
  }
}

function member(value: Json | undefined, outer: string, inner: string): Json | undefined {
  return asObject(asObject(value)[outer])[inner]
}

function withSortedRules(filters: JsonObject): JsonObject {
  if (filters.rules === undefined) return filters
  const rules = Object.entries(asObject(filters.rules)).map(
    ([action, names]) => [action, texts(names).toSorted()] as const,
  )
  return { ...filters, rules: Object.fromEntries(rules) }
}

/** The corpus leaves out the names of Services. */
function sortedServices(value: Json | undefined): readonly Json[] {
  const texts = asList(value).map((item) => {
    const { name, ports, ...rest } = asObject(item)
    const shown = rest.source === 'Service' ? '' : name
    return JSON.stringify([rest.host, rest.namespace, rest.source, shown, rest.external, rest.headless, ports])
  })
  return texts.sort()
}
