import { meshConfigOf } from '../mesh-config.ts'
import { identityOf, type ProxyCall } from './call.ts'
import { walkDirect } from './direct.ts'
import { fails, step, type Topic, type Walk } from './step.ts'
import { fateOfUnseen, type Blindness } from './unseen.ts'

/** What becomes of a request for which a sidecar has no place: it passes as it is, or is blocked. `topic`: what that is a matter of. */
export function* walkPassthrough(call: ProxyCall, topic: Topic, { text, by }: Blindness): Walk {
  const { snapshot, client, scope, brokenAs, host, port } = call
  yield step(topic, text, by)
  const fate = fateOfUnseen(snapshot, scope)
  if (fate.policy === 'REGISTRY_ONLY') {
    const why = `${text}; outbound traffic to what the client does not see is blocked`
    return fails(brokenAs === '503' ? '502' : brokenAs, why, by ?? fate.by)
  }
  yield step(
    'transport',
    'as the application sends it, to the address that DNS gives: what the client does not see passes',
    fate.by,
  )
  const identity = identityOf(snapshot, client.namespace, client.serviceAccount)
  const delivery = { ...call, cause: by, because: `, since ${text}`, identity, expected: [] }
  return yield* walkDirect(delivery, { host, port, patience: meshConfigOf(snapshot).connectTimeout })
}
