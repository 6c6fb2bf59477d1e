/** An AdmissionReview about the creation of `PeerAuthentication shop/default`. */
export function peerAuthenticationReview(spec: unknown, differences: object = {}): object {
  const metadata = { name: 'default', namespace: 'shop' }
  return review(
    { group: 'security.istio.io', kind: 'PeerAuthentication', resource: 'peerauthentications' },
    { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata, spec },
    differences,
  )
}

/** An AdmissionReview about the creation of `VirtualService shop/default`. */
export function virtualServiceReview(spec: unknown, differences: object = {}): object {
  const metadata = { name: 'default', namespace: 'shop' }
  return review(
    { group: 'networking.istio.io', kind: 'VirtualService', resource: 'virtualservices' },
    { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', metadata, spec },
    differences,
  )
}

interface Resource {
  readonly group: string
  readonly kind: string
  readonly resource: string
}

function review({ group, kind, resource }: Resource, object: unknown, differences: object): object {
  const request = {
    uid: 'uid-1',
    kind: { group, version: 'v1', kind },
    resource: { group, version: 'v1', resource },
    name: 'default',
    namespace: 'shop',
    operation: 'CREATE',
    userInfo: { username: 'jane', groups: ['team-shop'] },
    object,
    ...differences,
  }
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
}
