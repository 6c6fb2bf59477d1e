import { asList, asObject } from '../../kube/json.ts'
import { nameOf, type KubeObject } from '../../kube/object.ts'
import type { ApiClient } from './api-client.ts'
import { trimObject } from './trim-object.ts'

/** Asks for one Namespace; undefined where there is none, or where nobody says so in time. Never rejects. */
export type ReadNamespace = (name: string) => Promise<KubeObject | undefined>

/** Milliseconds. Somebody waits for a verdict meanwhile. */
const LONGEST_LOOK = 1000

/** Milliseconds in which nobody is asked after no answer came: a server that is away must not hold up every request. */
const PAUSE = 5000

/**
 * Reads Namespaces from the API server itself, as it is now. It lists them by name, which needs no permission but that of the watch;
 * requests for one name at a time share an answer. As k8s.io/apiserver does for its own selectors: webhook/predicates/namespace/matcher.go.
 * `now` in milliseconds, of a clock that never jumps.
 */
export function namespaceReader(api: ApiClient, now: () => number): ReadNamespace {
  const asked = new Map<string, Promise<KubeObject | undefined>>()
  let silentUntil = Number.NEGATIVE_INFINITY
  const read = async (name: string): Promise<KubeObject | undefined> => {
    try {
      return await ask(api, name)
    } catch {
      silentUntil = now() + PAUSE
      return undefined
    }
  }
  return async (name) => {
    if (now() < silentUntil) return undefined
    const underway = asked.get(name)
    if (underway !== undefined) return underway
    const answer = read(name).finally(() => asked.delete(name))
    asked.set(name, answer)
    return answer
  }
}

/** Rejects where there is no answer, or none that says what there is. */
async function ask(api: ApiClient, name: string): Promise<KubeObject | undefined> {
  const query = new URLSearchParams({ fieldSelector: `metadata.name=${name}` })
  const { status, body } = await api.send('GET', `/api/v1/namespaces?${query.toString()}`, { timeout: LONGEST_LOOK })
  if (status !== 200) throw new Error(`HTTP ${status}`)
  const found = asList(asObject(body).items).flatMap((item) => trimObject(item, 'Namespace', 'v1') ?? [])
  return found.find((namespace) => nameOf(namespace) === name)
}
