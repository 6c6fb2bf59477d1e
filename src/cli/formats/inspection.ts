import { createHash } from 'node:crypto'

import pico from 'picocolors'

import { asList, asObject, type Json, type JsonObject } from '../../kube/json.ts'
import { inlineText } from '../../kube/yaml-text.ts'
import type { SidecarFacts } from '../../mesh/facts.ts'
import type { Workload } from '../../mesh/workloads.ts'
import type { Deciders } from '../../reports/deciders.ts'
import type { Inspection } from '../../reports/inspect-mesh.ts'
import { podBlock, waypointBlock } from './ambient-blocks.ts'
import { gatewayBlock } from './gateway-block.ts'
import { routeLines } from './route-lines.ts'
import { rulesText } from './rules-text.ts'
import { table } from './table.ts'

type Colours = ReturnType<typeof pico.createColors>

/** What a mesh really does, for a terminal: one block for each workload, gateway pod and waypoint, worked out as it is written. */
export function* formatInspection(inspection: Inspection, colour: boolean): Generator<string> {
  let isFirst = true
  for (const block of blocksOf(inspection, pico.createColors(colour))) {
    yield isFirst ? `${block}\n` : `\n${block}\n`
    isFirst = false
  }
  if (isFirst) yield 'nothing of the mesh runs here: no pod with a sidecar, no gateway, nothing ambient\n'
}

function* blocksOf(
  { sidecars, others, decidersOf, ambientDecidersOf }: Inspection,
  colours: Colours,
): Generator<string> {
  const told: Told = { digests: new WeakMap(), first: new Map() }
  for (const workload of sidecars.workloads) {
    yield sidecarBlock(workload, sidecars.columns, decidersOf(workload), told, colours)
  }
  const names = new Set([...sidecars.workloads.map(workloadName), ...Object.keys(asObject(others.gateways))])
  yield* blocks(others.gateways, gatewayBlock, colours)
  for (const [name, fact] of Object.entries(withoutSidecars(others.pods, names))) {
    yield podBlock(name, fact, ambientDecidersOf(name), colours)
  }
  yield* blocks(others.waypoints, waypointBlock, colours)
  yield* noteBlock(others, colours)
}

/** The calls told so far: what does as another does need not be told again. */
interface Told {
  /** Of the lines that tell a fact, which replicas share. The lines themselves would be too many to keep. */
  readonly digests: WeakMap<JsonObject, string>
  /** The workload whose calls these lines told first, by their digest. */
  readonly first: Map<string, string>
}

function sidecarBlock(
  workload: Workload,
  columns: SidecarFacts['columns'],
  deciders: Deciders,
  told: Told,
  colours: Colours,
): string {
  const sidecar = columns.sidecar(workload)
  const access = asObject(columns.access(workload))
  const inbound = Object.entries(asObject(columns.inbound(workload)))
  const scope = typeof sidecar === 'string' ? `what Sidecar ${sidecar} imports` : 'every exported host (no Sidecar)'
  return [
    colours.bold(`workload ${workloadName(workload)}`),
    `  sees      ${scope}; unknown hosts: ${inlineText(columns.outboundPolicy(workload) ?? null)}`,
    '  accepts',
    ...table(
      inbound.map(([port, mode]) => [port, paintMode(mode, colours), deciders.get(port) ?? '', rulesOf(access[port])]),
      '    ',
    ),
    ...verdictLines(access, deciders, colours),
    ...callLines(workload, columns, told, colours),
  ].join('\n')
}

function callLines(
  workload: Workload,
  columns: SidecarFacts['columns'],
  told: Told,
  colours: Colours,
): readonly string[] {
  const outbound = asObject(columns.outbound(workload))
  const known = told.digests.get(outbound)
  const lines = known === undefined ? targetLines(outbound, asObject(columns.routes(workload)), colours) : []
  const digest = known ?? digestOf(lines)
  told.digests.set(outbound, digest)
  const first = told.first.get(digest)
  if (first !== undefined) return [`  calls     as workload ${first} does`]
  if (lines.length === 0) return []
  told.first.set(digest, workloadName(workload))
  return ['  calls', ...lines]
}

function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256')
  for (const line of lines) hash.update(line)
  return hash.digest('base64')
}

function workloadName({ namespace, name }: Workload): string {
  return `${namespace}/${name}`
}

function rulesOf(access: Json | undefined): string {
  const { protocol, rules } = asObject(access)
  return protocol === undefined ? '' : (rulesText(rules) ?? 'no AuthorizationPolicy: everybody may call')
}

function verdictLines(access: JsonObject, deciders: Deciders, colours: Colours): readonly string[] {
  const rows = Object.entries(access).flatMap(([port, fact]) =>
    Object.entries(asObject(asObject(fact).results)).map(([request, verdict]) => {
      const text = inlineText(verdict ?? null)
      const paint = verdict === 'allow' ? colours.green : colours.red
      return [port, request, paint(text), deciders.get(`${port} ${request}`) ?? '']
    }),
  )
  return rows.length === 0 ? [] : ['  requests', ...table(rows, '    ')]
}

function targetLines(outbound: JsonObject, routes: JsonObject, colours: Colours): readonly string[] {
  return Object.entries(outbound).flatMap(([target, fact]) =>
    fact === null
      ? []
      : [`    ${colours.bold(target)}`, ...clusterLines(asObject(fact)), ...routeLines(routes[target], '      ')],
  )
}

function clusterLines({ destinationRule, clusters }: JsonObject): readonly string[] {
  const by = typeof destinationRule === 'string' ? `by DestinationRule ${destinationRule}` : 'no DestinationRule'
  return Object.entries(asObject(clusters)).map(([subset, fact]) => {
    const { tls, ...policy } = asObject(fact)
    const name = subset === '' ? '' : `subset ${subset}: `
    return `      ${name}TLS ${inlineText(tls ?? null)}, ${by}; ${inlineText(policy)}`
  })
}

/** Pods whose story the blocks of sidecars and gateways do not tell. */
function withoutSidecars(pods: Json | undefined, told: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(
    Object.entries(asObject(pods)).filter(([name, fact]) => !told.has(name) && asObject(fact).mode !== 'none'),
  )
}

function blocks(
  facts: Json | undefined,
  block: (name: string, fact: Json | undefined, colours: Colours) => string,
  colours: Colours,
): readonly string[] {
  return Object.entries(asObject(facts)).map(([name, fact]) => block(name, fact, colours))
}

/** What does nothing, and so is rarely what somebody wanted. */
function noteBlock({ unusedGateways, unboundHosts, nowhere }: JsonObject, colours: Colours): readonly string[] {
  const notes = [
    ...asList(unusedGateways).map((name) => `Gateway ${inlineText(name)} selects no gateway pod`),
    ...asList(unboundHosts).map((name) => `no gateway serves ${inlineText(name)}`),
    ...asList(nowhere).map((name) => `${inlineText(name)} takes effect nowhere`),
  ]
  return notes.length === 0 ? [] : [[colours.bold('without effect'), ...notes.map((note) => `  ${note}`)].join('\n')]
}

function paintMode(mode: Json | undefined, colours: Colours): string {
  const text = inlineText(mode ?? null)
  return mode === 'STRICT' ? colours.green(text) : colours.yellow(text)
}
