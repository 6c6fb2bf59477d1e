/** What kube-apiserver waits when a webhook's configuration does not say (`timeoutSeconds`), in milliseconds. */
const DEFAULT_TIMEOUT = 10_000

/** The most that it lets a configuration say. */
const MOST_TIMEOUT = 30_000

/**
 * How long the caller waits, in milliseconds: kube-apiserver adds `?timeout=3s` to the URL of a webhook, a duration
 * of Go. Anything that is none counts as not said.
 */
export function requestTimeout(url: string): number {
  const query = url.indexOf('?')
  const match = query < 0 ? null : TIMEOUT.exec(url.slice(query))
  if (match === null) return DEFAULT_TIMEOUT
  const [, hours, minutes, seconds, milliseconds] = match
  const total =
    Number(hours ?? 0) * 3_600_000 +
    Number(minutes ?? 0) * 60_000 +
    Number(seconds ?? 0) * 1000 +
    Number(milliseconds ?? 0)
  return total > 0 ? Math.min(total, MOST_TIMEOUT) : DEFAULT_TIMEOUT
}

const TIMEOUT = /[?&]timeout=(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?(?:&|$)/
