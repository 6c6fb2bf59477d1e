/**
 * Where our rules differ from Istio's analyzers on purpose, and why: by the case and what is missing (`IST0131 Kind namespace/name`) or
 * said beyond (our rule's code instead). docs/conformance.md shows each.
 */
export const DEVIATIONS: Readonly<Record<string, string>> = {
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
  'gatewaySecretValidations: GW-04 Gateway defaultgateway-missing-keys':
    'a Secret without the keys is no use, which GW-04 says; Istio has a message of its own for it, IST0161',
  'gatewaySecretValidations: GW-04 Gateway defaultgateway-invalid-cert':
    'a Secret without the keys is no use, which GW-04 says; Istio has a message of its own for it, IST0161',
}
