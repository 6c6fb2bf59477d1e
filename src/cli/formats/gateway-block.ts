import type pico from 'picocolors'

import { asList, asObject, type Json, type JsonObject } from '../../kube/json.ts'
import { inlineText } from '../../kube/yaml-text.ts'
import { routeLines } from './route-lines.ts'
import { table } from './table.ts'

type Colours = ReturnType<typeof pico.createColors>

/** What a gateway pod serves, for a terminal: where each server ends up, and what answers on each port. */
export function gatewayBlock(name: string, fact: Json | undefined, colours: Colours): string {
  const { servers, listeners } = asObject(fact)
  const rows = Object.entries(asObject(servers)).map(([server, port]) => [
    server,
    port === 'skipped'
      ? colours.red('skipped: another server stands in its way')
      : `port ${typeof port === 'string' ? port : inlineText(port ?? null)}`,
  ])
  return [
    colours.bold(`gateway ${name}`),
    ...(rows.length === 0 ? ['  no Gateway selects it'] : ['  servers', ...table(rows, '    ')]),
    ...Object.entries(asObject(listeners)).flatMap(([port, listener]) =>
      listenerLines(port, asObject(listener), colours),
    ),
  ].join('\n')
}

function listenerLines(port: string, { chains }: JsonObject, colours: Colours): readonly string[] {
  return asList(chains).flatMap((each) => {
    const chain = asObject(each)
    const names = chain.sni === undefined ? '' : ` for ${asList(chain.sni).map(inlineText).join(', ')}`
    const by = asList(chain.servers).map(inlineText).join(', ')
    return [
      `  ${colours.bold(`port ${port}`)}${names}: ${tlsText(chain, colours)}, by ${by}`,
      ...(chain.protocol === 'tcp' ? connectionLines(chain) : hostLines(chain, colours)),
    ]
  })
}

function tlsText({ protocol, tls }: JsonObject, colours: Colours): string {
  const kind = protocol === 'tcp' ? 'TCP' : 'HTTP'
  if (tls === null || tls === undefined) return `plain ${kind}`
  const { mode, minVersion, maxVersion, certificate, ca } = asObject(tls)
  const parts = [
    `TLS ${inlineText(mode ?? null)}`,
    ...(minVersion === undefined ? [] : [`from ${inlineText(minVersion)}`]),
    ...(maxVersion === undefined ? [] : [`up to ${inlineText(maxVersion)}`]),
    ...(certificate === undefined ? [] : [`certificate ${sourceText(certificate, colours)}`]),
    ...(ca === undefined ? [] : [`clients checked by ${sourceText(ca, colours)}`]),
  ]
  return parts.join(', ')
}

function sourceText(source: Json, colours: Colours): string {
  const { secret, readable, file } = asObject(source)
  if (secret !== undefined) {
    const name = `Secret ${inlineText(secret)}`
    return readable === false ? colours.red(`${name}, which it does not get`) : name
  }
  return file === true ? 'of a file' : 'of the mesh'
}

function connectionLines({ virtualService, to }: JsonObject): readonly string[] {
  return [`    connections to ${inlineText(to ?? [])} by VirtualService ${inlineText(virtualService ?? null)}`]
}

function hostLines({ hosts }: JsonObject, colours: Colours): readonly string[] {
  const entries = asList(hosts).map(asObject)
  if (entries.length === 0) return ['    no VirtualService: every request gets 404']
  return entries.flatMap(({ domains, httpsRedirect, routes }) => [
    `    ${colours.bold(asList(domains).map(inlineText).join(', '))}${httpsRedirect === true ? ': redirects plain requests to https' : ''}`,
    ...routeLines(routes, '      '),
  ])
}
