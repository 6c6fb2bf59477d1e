// Objects of a small shop, as YAML that can be joined: each ends in `---`.

/** A Service; `calls`: the hosts that its workloads call. */
export const service = (name: string, { calls = '', ports = '{ name: http, port: 80 }' } = {}) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, annotations: { meshward.io/calls: "${calls}" } }
spec: { selector: { app: ${name} }, ports: [${ports}] }
---`

export const deployment = (name: string, labels = `app: ${name}`) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { ${labels} } }
  template:
    metadata: { labels: { ${labels} } }
    spec: { containers: [{ name: ${name}, image: "${name}:1" }] }
---`

/** A route of a host, to itself unless told otherwise; `more`: more of its entry. */
export const virtualService = (name: string, { host = name, destination = `host: ${name}`, more = '' } = {}) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec: { hosts: [${host}], http: [{ route: [{ destination: { ${destination} } }], timeout: 10s${more} }] }
---`

/** A rule for `cart` with these subsets. */
export const destinationRule = (...subsets: readonly string[]) => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: cart }
spec: { host: cart, subsets: [${subsets.map((name) => `{ name: ${name}, labels: { version: ${name} } }`).join(', ')}] }
---`

export const serviceEntry = (host: string) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: pay }
spec: { hosts: [${host}], ports: [{ number: 443, name: tls, protocol: TLS }], resolution: DNS, location: MESH_EXTERNAL }
---`

export const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 443, name: tls, protocol: TLS }, tls: { mode: PASSTHROUGH }, hosts: [shop.example.com] }] }
---`

/** A route through it. */
export const throughGateway = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec: { hosts: [shop.example.com], gateways: [web], tls: [{ match: [{ sniHosts: [shop.example.com] }], route: [{ destination: { host: cart, port: { number: 80 } } }] }] }
---`

/** Mutual TLS and nothing else for the whole namespace. */
export const peerAuthentication = (name = 'default') => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: ${name} }
spec: { mtls: { mode: STRICT } }
---`
