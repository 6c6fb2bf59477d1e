import type { KubeObject } from '../kube/object.ts'
import { serversOf, type GatewayServer } from './gateway-servers.ts'
import { serverTls, type CertificateSource } from './gateway-tls.ts'
import { likelyPodsOfGateway } from './gateway-workloads.ts'
import type { MeshSnapshot } from './snapshot.ts'

/** A Secret that a server of a Gateway needs at its pods. */
export interface ServerCredential {
  readonly server: GatewayServer
  readonly secret: Extract<CertificateSource, { readonly kind: 'secret' }>
}

/**
 * The Secrets that a Gateway needs, in the namespaces of its pods, each with what is wrong with it for them. None where no pod of it is
 * known: nobody can say where they have to be.
 */
export function serverCredentials(snapshot: MeshSnapshot, gateway: KubeObject): readonly ServerCredential[] {
  const namespaces = new Set(likelyPodsOfGateway(snapshot, gateway).map(({ namespace }) => namespace))
  return [...namespaces].flatMap((namespace) =>
    serversOf(gateway).flatMap((server) => {
      const tls = serverTls(snapshot, namespace, server)
      const sources = [...(tls?.certificates ?? []), ...(tls?.ca === undefined ? [] : [tls.ca])]
      return sources.flatMap((source) => (source.kind === 'secret' ? [{ server, secret: source }] : []))
    }),
  )
}
