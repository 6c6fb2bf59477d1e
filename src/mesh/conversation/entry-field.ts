import { isGatewayApi } from '../gateway-api-backends.ts'
import type { RouteEntry } from '../virtual-service.ts'
import type { Decider } from './step.ts'

/** A field of an entry of a VirtualService where it is written: a route of the Gateway API has its own names for them. */
export function deciderIn({ object, field }: RouteEntry, name: keyof typeof NAMES): Decider {
  return { object, field: `${field}.${isGatewayApi(object) ? NAMES[name] : name}` }
}

/** The place of a destination of an entry. */
export function destinationDecider({ object, field }: RouteEntry, index: number): Decider {
  if (isGatewayApi(object)) return { object, field: `${field}.backendRefs[${index}]` }
  return { object, field: `${field}.route[${index}].destination` }
}

/** The host of a destination whose place is known. */
export function hostDecider({ object, field }: Decider): Decider {
  return { object, field: `${field}.${isGatewayApi(object) ? 'name' : 'host'}` }
}

const NAMES = {
  retries: 'retry',
  timeout: 'timeouts',
  redirect: 'filters',
  directResponse: 'backendRefs',
  fault: 'filters',
} as const
