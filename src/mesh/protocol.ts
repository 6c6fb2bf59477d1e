import { wordIn } from './fields.ts'

/** A protocol that Istio tells apart; `unsupported` is one that it has to detect. */
export type Protocol =
  | 'http'
  | 'http2'
  | 'http_proxy'
  | 'grpc'
  | 'grpc-web'
  | 'https'
  | 'tls'
  | 'tcp'
  | 'mongo'
  | 'redis'
  | 'mysql'
  | 'udp'
  | 'unsupported'

/** The protocol of a word in any case. istio: config/protocol/instance.go Parse. */
export function parseProtocol(word: string | undefined): Protocol {
  return wordIn(PROTOCOLS, word?.toLowerCase()) ?? 'unsupported'
}

/** What Istio takes from a port of a Kubernetes Service. */
export interface NamedPort {
  readonly name: string
  readonly number: number
  readonly protocol: string
  readonly appProtocol: string | undefined
}

/**
 * The protocol of a port of a Kubernetes Service: `appProtocol`, else the name up to the first dash, else TCP on ports
 * of protocols where the server speaks first. istio: config/kube/conversion.go ConvertProtocol.
 */
export function servicePortProtocol(port: NamedPort): Protocol {
  if (port.protocol === 'UDP') return 'udp'
  const word = port.appProtocol ?? port.name
  const standard = wordIn(APP_PROTOCOLS, port.appProtocol)
  if (standard !== undefined) return standard
  if (/^grpc-web/i.test(word)) return 'grpc-web'
  const [prefix = ''] = word.split('-', 1)
  const protocol = parseProtocol(prefix)
  return protocol === 'unsupported' && SERVER_FIRST_PORTS.has(port.number) ? 'tcp' : protocol
}

/** HTTP by declaration. istio: protocol.Instance IsHTTP. */
export function isHttp(protocol: Protocol): boolean {
  return HTTP.has(protocol)
}

/** HTTP by declaration, or perhaps by detection. istio: protocol.Instance IsHTTPOrSniffed. */
export function isHttpOrDetected(protocol: Protocol): boolean {
  return isHttp(protocol) || protocol === 'unsupported'
}

const HTTP: ReadonlySet<Protocol> = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web'])
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  http: 'http',
  http2: 'http2',
  http_proxy: 'http_proxy',
  grpc: 'grpc',
  'grpc-web': 'grpc-web',
  https: 'https',
  tls: 'tls',
  tcp: 'tcp',
  mongo: 'mongo',
  redis: 'redis',
  mysql: 'mysql',
  udp: 'udp',
}
const APP_PROTOCOLS: Readonly<Record<string, Protocol>> = {
  'kubernetes.io/h2c': 'http2',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'https',
}
// SMTP, DNS, MySQL and MongoDB: sniffing would wait for a client that waits for the server
const SERVER_FIRST_PORTS: ReadonlySet<number> = new Set([25, 53, 3306, 27017])
