import { blocks, number } from '../fields.ts'
import type { Destination } from '../http-route.ts'
import type { RouteEntry } from '../virtual-service.ts'
import { walkParts, type Decider, type Part, type Walk } from './step.ts'

/** How a request or connection goes on to a destination; `by`: where a route names it. */
export type Deliver = (destination: Destination, by: Decider | undefined) => Walk

/** What becomes of what an entry of a VirtualService spreads over its destinations, each by its place in the entry. */
export function walkDestinations(
  { spec, object, field }: RouteEntry,
  to: readonly Destination[],
  noun: 'requests' | 'connections',
  deliver: Deliver,
): Walk {
  const listed = blocks(spec.route)
  const weighted = listed.flatMap((item, index) => (number(item.weight) ? [index] : []))
  const places = listed.length === 1 ? [0] : weighted
  const parts = to.map((destination, index): Part => {
    const by = { object, field: `${field}.route[${places[index] ?? index}].destination` }
    return { name: destinationText(destination), share: destination.weight ?? 1, walk: () => deliver(destination, by) }
  })
  return walkParts(parts, noun)
}

/** `host:port subset v1`. */
export function destinationText({ host, port, subset }: Destination): string {
  return `${host}:${port}${subset === undefined ? '' : ` subset ${subset}`}`
}
