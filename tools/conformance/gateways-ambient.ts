import { asList, asObject, type Json, type JsonObject } from '../../src/kube/json.ts'
import { text, texts } from '../../src/mesh/fields.ts'
import { compareText } from '../../src/mesh/age.ts'
import { ambientFacts } from '../../src/mesh/ambient-facts.ts'
import { gatewayFacts } from '../../src/mesh/gateway-facts.ts'
import { readOracle, entriesOf, type OracleMesh } from './oracle-mesh.ts'
import { startTally, type Score, type Tally } from './score.ts'

/** Scores the meshes of the oracle that are about gateways. */
export function scoreGatewayOracle(folder: string): Score {
  const tally = startTally('istiod-oracle: gateways')
  for (const mesh of readOracle(folder)) if (mesh.families.includes('gateway')) scoreGateways(tally, mesh)
  return tally.score()
}

/** Scores the meshes of the oracle that are about ambient. */
export function scoreAmbientOracle(folder: string): Score {
  const tally = startTally('istiod-oracle: ambient')
  for (const mesh of readOracle(folder)) if (mesh.families.includes('ambient')) scoreAmbient(tally, mesh)
  return tally.score()
}

function scoreGateways(tally: Tally, { id, snapshot, facts: expected }: OracleMesh): void {
  const actual = gatewayFacts(snapshot)
  tally.compare('services', id, byHost(expected.services), byHost(actual.services))
  for (const pod of keysOf(expected.gateways, actual.gateways)) {
    const theirs = asObject(asObject(expected.gateways)[pod])
    const ours = asObject(asObject(actual.gateways)[pod])
    tally.compare('gateway servers', `${id} ${pod}`, theirs.servers, ours.servers)
    tally.compare('listeners', `${id} ${pod}`, keysOf(theirs.listeners), keysOf(ours.listeners))
    for (const port of keysOf(theirs.listeners)) {
      const place = `${id} ${pod} ${port}`
      compareChains(tally, place, asObject(asObject(theirs.listeners)[port]), asObject(asObject(ours.listeners)[port]))
    }
  }
  tally.compare('unused gateways', id, expected.unusedGateways, actual.unusedGateways)
  for (const [name, host, servers] of entriesOf(expected.virtualServices)) {
    tally.compare(
      'bound hosts',
      `${id} ${name} ${host}`,
      servers,
      asObject(asObject(actual.virtualServices)[name])[host],
    )
  }
  tally.compare('bound hosts', id, keysOf(expected.virtualServices), keysOf(actual.virtualServices))
  tally.compare('unbound hosts', id, texts(expected.unboundHosts).toSorted(), actual.unboundHosts)
}

function scoreAmbient(tally: Tally, { id, snapshot, requests, facts: expected }: OracleMesh): void {
  const actual = ambientFacts(snapshot, requests)
  tally.compare('services', id, byHost(expected.services), byHost(actual.services))
  compareMembers(tally, 'service waypoints', id, expected.serviceWaypoints, actual.serviceWaypoints)
  for (const pod of keysOf(expected.pods, actual.pods)) {
    const { mtls, access, policies, missing, services, ...capture } = asObject(asObject(expected.pods)[pod])
    const ours = asObject(asObject(actual.pods)[pod])
    const { mode, tunnel, waypoint } = ours
    tally.compare('capture', `${id} ${pod}`, capture, {
      mode: mode ?? null,
      tunnel: tunnel ?? null,
      waypoint: waypoint ?? null,
    })
    tally.compare('services of pods', `${id} ${pod}`, services, ours.services)
    tally.compare(
      'policies of pods',
      `${id} ${pod}`,
      [policies ?? null, missing ?? null],
      [ours.policies ?? null, ours.missing ?? null],
    )
    tally.compare('ambient mTLS', `${id} ${pod}`, mtls, ours.mtls)
    for (const [port, request, verdict] of entriesOf(access)) {
      tally.compare(
        'ztunnel access',
        `${id} ${pod} ${port} ${request}`,
        verdict,
        asObject(asObject(ours.access)[port])[request],
      )
    }
  }
  compareMembers(tally, 'ztunnel policies', id, expected.ztunnelPolicies, actual.ztunnelPolicies)
  tally.compare('not sent to ztunnel', id, expected.notSentToZtunnel, actual.notSentToZtunnel)
  for (const waypoint of keysOf(expected.waypoints, actual.waypoints)) {
    const { services, ...rest } = asObject(asObject(expected.waypoints)[waypoint])
    const { services: ourServices, ...ourRest } = asObject(asObject(actual.waypoints)[waypoint])
    tally.compare('waypoints', `${id} ${waypoint}`, rest, ourRest)
    for (const host of keysOf(services, ourServices)) {
      compareMembers(
        tally,
        'waypoint ports',
        `${id} ${waypoint} ${host}`,
        asObject(services)[host],
        asObject(ourServices)[host],
      )
    }
  }
  tally.compare('policies that take effect nowhere', id, expected.nowhere, actual.nowhere)
}

/** Compares every member that either map has. */
function compareMembers(
  tally: Tally,
  question: string,
  place: string,
  expected: Json | undefined,
  actual: Json | undefined,
): void {
  for (const key of keysOf(expected, actual)) {
    tally.compare(question, `${place} ${key}`, asObject(expected)[key], asObject(actual)[key])
  }
}

function compareChains(tally: Tally, place: string, expected: JsonObject, actual: JsonObject): void {
  tally.compare('chains', place, asList(expected.chains).map(head), asList(actual.chains).map(head))
  for (const [index, chain] of asList(expected.chains).entries()) {
    const theirs = asObject(chain)
    const ours = asObject(asList(actual.chains)[index])
    const at = `${place} chain ${index}`
    tally.compare('gateway TLS', at, theirs.tls, ours.tls)
    tally.compare('names', at, asList(theirs.hosts).map(names), asList(ours.hosts).map(names))
    tally.compare('connection routes', at, route(theirs), route(ours))
    for (const [number, host] of asList(theirs.hosts).entries()) {
      const { domains, routes, ...rest } = asObject(host)
      const { domains: _, routes: ourRoutes, ...ourRest } = asObject(asList(ours.hosts)[number])
      tally.compare('gateway routes', `${at} ${texts(domains).join()}`, routes, ourRoutes)
      tally.compare('virtual hosts', `${at} ${texts(domains).join()}`, rest, ourRest)
    }
  }
}

/** In no particular order. */
function byHost(services: Json | undefined): readonly Json[] {
  return asList(services).toSorted((a, b) => compareText(text(asObject(a).host) ?? '', text(asObject(b).host) ?? ''))
}

function head(chain: Json): Json {
  const { protocol, sni, servers } = asObject(chain)
  return [protocol ?? null, sni ?? null, servers ?? null]
}

function names(host: Json): Json {
  return texts(asObject(host).domains).toSorted()
}

function keysOf(...maps: readonly (Json | undefined)[]): readonly string[] {
  return [...new Set(maps.flatMap((map) => Object.keys(asObject(map))))].sort()
}

function route({ virtualService, to }: JsonObject): Json {
  return [virtualService ?? null, to ?? null]
}
