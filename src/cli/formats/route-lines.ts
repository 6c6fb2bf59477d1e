import { isList, isObject, asObject, type Json } from '../../kube/json.ts'
import { inlineText } from '../../kube/yaml-text.ts'

/** The routes of a fact, one line each: what they match, where they lead, how long and how often they try. */
export function routeLines(routes: Json | undefined, indent: string): readonly string[] {
  if (!isList(routes)) return routes === 'default' ? [`${indent}one route, Istio's default: no timeout`] : []
  return routes.map((route) => {
    const { virtualService, name, match, to, timeout, retries, ...rest } = asObject(route)
    const more = Object.keys(rest).length === 0 ? '' : `, ${inlineText(rest)}`
    const called = typeof name === 'string' ? ` "${name}"` : ''
    return (
      `${indent}route${called} by VirtualService ${inlineText(virtualService ?? null)}: ${inlineText(match ?? {})} to ${inlineText(to ?? [])}, ` +
      `timeout ${timeout === null ? 'none' : inlineText(timeout ?? null)}, retries ${retriesText(retries)}${more}`
    )
  })
}

function retriesText(retries: Json | undefined): string {
  if (!isObject(retries)) return 'none'
  const { attempts, retryOn, perTryTimeout } = retries
  const each = perTryTimeout === undefined ? '' : ` of ${inlineText(perTryTimeout)} each`
  return `${inlineText(attempts ?? null)}${each} on ${inlineText(retryOn ?? null)}`
}
