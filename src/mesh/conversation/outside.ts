import { isHttp, type Protocol } from '../protocol.ts'
import type { ServicePort } from '../registry.ts'
import type { Reached } from './arrival.ts'
import type { Delivery } from './call.ts'
import { answered, fails, step, unknown, type Walk } from './step.ts'

/** What becomes of a request that goes to an address that is no workload of the mesh. */
export function* walkOutside({ brokenAs, cause }: Delivery, port: ServicePort, { endpoint, transport }: Reached): Walk {
  yield step('server', endpoint.hasSidecar ? 'declared to have a sidecar' : 'nothing of the mesh runs there')
  switch (transport) {
    case 'mtls':
    case 'hbone':
      if (endpoint.hasSidecar) return unknown('nothing here says what that proxy accepts')
      return fails(brokenAs, 'the client speaks mTLS of the mesh to a host that is outside of it', cause)
    case 'tls':
      if (!isEncrypted(port.protocol)) return answered('an answer', 'in TLS, as far as the mesh decides')
      return fails(
        brokenAs,
        `port ${port.number} is ${port.protocol}: TLS of the application inside TLS of its sidecar`,
        cause,
      )
    case 'plaintext':
      if (!isHttp(port.protocol) || Number(port.target) !== HTTPS) {
        return answered('an answer', 'as the application sends it, as far as the mesh decides')
      }
      return unknown('plain HTTP goes to port 443; a server that expects TLS there answers 400', cause)
  }
}

function isEncrypted(protocol: Protocol): boolean {
  return protocol === 'https' || protocol === 'tls'
}

const HTTPS = 443
