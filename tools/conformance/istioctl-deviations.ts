/**
 * Where our rules differ from Istio's analyzers on purpose, and why: by the case and what is missing (`IST0131 Kind namespace/name`) or
 * said beyond (our rule's code instead). docs/conformance.md shows each.
 */
export const DEVIATIONS: Readonly<Record<string, string>> = {
  ...about(
    'serviceMultipleDeployments',
    [
      'SVC-04 Service bookinfo/details-tcp-v1',
      'SVC-04 Service bookinfo/details-http-v1',
      'SVC-04 Service bookinfo/productpage-tcp-v1',
      'SVC-04 Service bookinfo/productpage-http-v1',
      'SVC-04 Service bookinfo/conflicting-ports-1',
      'SVC-04 Service bookinfo/conflicting-ports-2',
    ],
    'SVC-04 tells the Services of the conflict, where the protocols are written, as well as the Deployment; Istio names the Deployment alone',
  ),
  'serviceMultipleDeployments: SVC-04 Deployment bookinfo/conflicting-ports':
    'two Services say tcp and http of one port of its pods; Istio only compares Services whose own ports are the same, and has IST0137 for this',
  'virtualServiceDestinationHosts: IST0101 VirtualService reviews-bogushost':
    'the second message is about a route without a destination, which the schema of VirtualService refuses; the first is found',
  'virtualServiceGateways: IST0132 VirtualService httpbin-bogus':
    'the Gateway is not there, which VS-06 says: it has no hosts that could be compared',
  'authorizationpolicies: IST0127 AuthorizationPolicy httpbin-empty/httpbin-empty-namespace-wide':
    'a policy without a selector in an empty namespace is there for what will come; a selector that selects nothing is an error',
  'dupmatches: VS-11 VirtualService overlapping-in-two-matches':
    'Istio is wrong: GET /api/v1/products… is all taken by GET /api/v1/product… before, but it looks for unreachable entries among equal conditions only',
  'dupmatches: VS-12 VirtualService uri-with-prefix-exact':
    'Istio is wrong: prefix / takes exact / too, but it compares a prefix with prefixes only',
  ...about(
    'gatewaySecretValidations',
    ['GW-04 Gateway defaultgateway-missing-keys', 'GW-04 Gateway defaultgateway-invalid-cert'],
    'a Secret without tls.crt and tls.key is of no use, which GW-04 says; Istio has a message of its own for it, IST0161',
  ),
}

function about(name: string, differences: readonly string[], reason: string): Record<string, string> {
  return Object.fromEntries(differences.map((each) => [`${name}: ${each}`, reason]))
}
