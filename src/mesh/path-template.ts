/** Does a path of an AuthorizationPolicy hold `{*}` or `{**}`? istio: config/security ContainsPathTemplate. */
export function isPathTemplate(value: string): boolean {
  return value.includes(ONE) || value.includes(ANY)
}

/**
 * Does a path match a template? `{*}` is one segment that is not empty, `{**}` is whatever follows, slashes too; only one of
 * these is allowed, and it is the last. envoy: extensions/path/match/uri_template.
 */
export function matchesPathTemplate(template: string, path: string): boolean {
  const at = template.indexOf(ANY)
  if (at < 0) return matchesSegments(template.split('/'), path.split('/'))
  const head = template.slice(0, at).split('/')
  const tail = template.slice(at + ANY.length)
  const last = head.pop() ?? ''
  const segments = path.split('/')
  if (segments.length <= head.length || !matchesSegments(head, segments.slice(0, head.length))) return false
  const rest = segments.slice(head.length).join('/')
  return rest.length >= last.length + tail.length && rest.startsWith(last) && rest.endsWith(tail)
}

function matchesSegments(template: readonly string[], path: readonly string[]): boolean {
  if (template.length !== path.length) return false
  return template.every((segment, index) => (segment === ONE ? path[index] !== '' : segment === path[index]))
}

const ONE = '{*}'
const ANY = '{**}'
