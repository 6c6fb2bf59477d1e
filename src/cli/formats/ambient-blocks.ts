import type pico from 'picocolors'

import { asList, asObject, type Json } from '../../kube/json.ts'
import { inlineText } from '../../kube/yaml-text.ts'
import type { Deciders } from '../../reports/deciders.ts'
import { routeLines } from './route-lines.ts'
import { rulesText } from './rules-text.ts'
import { table } from './table.ts'

type Colours = ReturnType<typeof pico.createColors>

/** A pod that has no sidecar of its own to tell of, for a terminal: who captures it, and what ztunnel enforces for it. */
export function podBlock(name: string, fact: Json | undefined, deciders: Deciders, colours: Colours): string {
  const { mode, waypoint, services, policies, missing, mtls, access } = asObject(fact)
  const modes = Object.entries(asObject(mtls)).map(([port, strict]) => [
    port,
    strict === 'STRICT' ? colours.green('STRICT') : colours.yellow(inlineText(strict ?? null)),
    deciders.get(port) ?? '',
  ])
  const lost = asList(missing).map(inlineText)
  return [
    colours.bold(`pod ${name}`),
    ...table(
      [
        ['is', MODES.get(mode) ?? inlineText(mode ?? null)],
        ...(asList(services).length === 0 ? [] : [['behind', asList(services).map(inlineText).join(', ')]]),
        ['waypoint', waypoint === null || waypoint === undefined ? 'none for its own address' : inlineText(waypoint)],
        ['policies', policies === null ? 'nothing enforces any' : (rulesText(policies) ?? 'none: everybody may call')],
        ...(lost.length === 0 ? [] : [['', colours.red(`${lost.join(', ')}: referred to, and never made`)]]),
      ],
      '  ',
    ),
    ...(modes.length === 0 ? [] : ['  accepts', ...table(modes, '    ')]),
    ...verdictLines(access, deciders, colours),
  ].join('\n')
}

const MODES: ReadonlyMap<Json | undefined, string> = new Map([
  ['ambient', 'in ambient: ztunnel carries what it sends and gets'],
  ['waypoint', 'an instance of a waypoint'],
])

function verdictLines(access: Json | undefined, deciders: Deciders, colours: Colours): readonly string[] {
  const rows = Object.entries(asObject(access)).flatMap(([port, verdicts]) =>
    Object.entries(asObject(verdicts)).map(([request, verdict]) => [
      port,
      request,
      verdict === 'allow' ? colours.green('allow') : colours.red(inlineText(verdict ?? null)),
      deciders.get(`${port} ${request}`) ?? '',
    ]),
  )
  return rows.length === 0 ? [] : ['  requests', ...table(rows, '    ')]
}

/** What a waypoint does for the services and workloads behind it, for a terminal. */
export function waypointBlock(name: string, fact: Json | undefined, colours: Colours): string {
  const { for: traffic, ready, services, workloads, direct } = asObject(fact)
  const behind = asList(workloads).map(inlineText)
  return [
    colours.bold(`waypoint ${name}`),
    `  for       ${inlineText(traffic ?? null)} traffic${ready === true ? '' : `, ${colours.red('not ready: nothing goes through it')}`}`,
    ...(behind.length === 0 ? [] : [`  workloads ${behind.join(', ')}`]),
    ...(direct === undefined ? [] : [`    ${policyText(direct)}`]),
    ...Object.entries(asObject(services)).flatMap(([host, ports]) =>
      Object.entries(asObject(ports)).flatMap(([port, each]) => portLines(`${host}:${port}`, each ?? null, colours)),
    ),
  ].join('\n')
}

function portLines(target: string, fact: Json, colours: Colours): readonly string[] {
  const { protocol, to, routes, destinationRule, clusters } = asObject(fact)
  const settings = Object.entries(asObject(clusters)).map(
    ([subset, policy]) =>
      `      ${subset === '' ? '' : `subset ${subset}: `}${inlineText(policy ?? null)}, by DestinationRule ${inlineText(destinationRule ?? null)}`,
  )
  return [
    `    ${colours.bold(target)}`,
    `      ${inlineText(protocol ?? null)}; ${policyText(fact)}`,
    ...settings,
    ...(to === undefined ? routeLines(routes, '      ') : [`      connections to ${inlineText(to)}`]),
  ]
}

function policyText(fact: Json): string {
  const { rules, requestAuthentications, issuers } = asObject(fact)
  const tokens = asList(requestAuthentications).map(inlineText)
  const known = asList(issuers).map(inlineText)
  return [
    rulesText(rules) ?? 'no AuthorizationPolicy: everybody may call',
    ...(tokens.length === 0 ? [] : [`tokens checked by ${tokens.join(', ')}`]),
    ...(known.length === 0 ? [] : [`of ${known.join(', ')}`]),
  ].join('; ')
}
