import { blocks, number } from '../fields.ts'
import type { Destination } from '../http-route.ts'
import type { RouteEntry } from '../virtual-service.ts'
import { destinationDecider } from './entry-field.ts'
import { walkParts, type Decider, type Part, type Walk } from './step.ts'

/** How a request or connection goes on to a destination; `by`: where a route names it. */
export type Deliver = (destination: Destination, by: Decider | undefined) => Walk

/** A destination, and where an entry of a VirtualService names it. */
export interface NamedDestination {
  readonly destination: Destination
  readonly by: Decider
}

/** The destinations of an entry, those without a weight left out, with their place in it. */
export function destinationsOf(entry: RouteEntry, to: readonly Destination[]): readonly NamedDestination[] {
  const listed = blocks(entry.spec.route)
  const weighted = listed.flatMap((item, index) => (number(item.weight) ? [index] : []))
  const places = listed.length === 1 ? [0] : weighted
  return to.map((destination, index) => ({
    destination,
    by: destinationDecider(entry, places[index] ?? index),
  }))
}

/** What becomes of what an entry spreads over its destinations. */
export function walkDestinations(
  entry: RouteEntry,
  to: readonly Destination[],
  noun: 'requests' | 'connections',
  deliver: Deliver,
): Walk {
  const parts = destinationsOf(entry, to).map(({ destination, by }): Part => ({
    name: destinationText(destination),
    share: destination.weight ?? 1,
    walk: () => deliver(destination, by),
  }))
  return walkParts(parts, noun)
}

/** `host:port subset v1`. */
export function destinationText({ host, port, subset }: Destination): string {
  return `${host}:${port}${subset === undefined ? '' : ` subset ${subset}`}`
}
