import { asObject, own, type Json, type JsonObject } from '../kube/json.ts'
import type { KubeObject } from '../kube/object.ts'
import { block, blocks, text, texts, wordIn } from './fields.ts'
import { isGatewayApi } from './gateway-api-backends.ts'
import { serverField, type GatewayServer, type ServerTlsMode } from './gateway-servers.ts'
import { KINDS } from './kinds.ts'
import { meshConfigOf } from './mesh-config.ts'
import type { MeshSnapshot } from './snapshot.ts'

export type TlsVersion = 'TLSV1_0' | 'TLSV1_1' | 'TLSV1_2' | 'TLSV1_3'

/** How a gateway opens TLS, or passes it on. */
export interface ServerTls {
  readonly mode: ServerTlsMode
  /** Undefined: Istio sets none, and Envoy's TLS 1.2 holds. */
  readonly minVersion: TlsVersion | undefined
  readonly maxVersion: TlsVersion | undefined
  /** Several only with `credentialNames`; none where TLS is passed on. */
  readonly certificates: readonly CertificateSource[]
  /** What client certificates are checked against; undefined: they are not asked for. */
  readonly ca: CertificateSource | undefined
}

/** Where a certificate comes from. `workload`: the pod's own of the mesh; `file`: a path in the pod; `other`: a service of the user's. */
export type CertificateSource =
  | { readonly kind: 'workload' | 'file' | 'other' }
  | {
      readonly kind: 'secret'
      readonly namespace: string
      readonly name: string
      /** Undefined: istiod hands it out to the pod. */
      readonly problem: CredentialProblem | undefined
      /** `spec.servers[0].tls.credentialName`. */
      readonly field: string
    }

/** Why a gateway pod does not get a Secret, or gets nothing from it. */
export type CredentialProblem = 'not-found' | 'other-namespace' | 'lacks-keys' | 'empty-keys'

/**
 * The TLS of a server at a pod of a namespace; undefined for plain text.
 * istio: networking/core/listener.go BuildListenerTLSContext.
 */
export function serverTls(snapshot: MeshSnapshot, podNamespace: string, server: GatewayServer): ServerTls | undefined {
  const { tls, mode } = server
  if (tls === undefined || mode === undefined) return undefined
  const opaque = { mode, minVersion: undefined, maxVersion: undefined, certificates: [], ca: undefined }
  switch (mode) {
    case 'PASSTHROUGH':
    case 'AUTO_PASSTHROUGH':
      return opaque
    case 'ISTIO_MUTUAL':
      // versions and ciphers are not for the mesh's own TLS
      return { ...opaque, certificates: [WORKLOAD], ca: WORKLOAD }
    default:
      return {
        mode,
        minVersion: wordIn(VERSIONS, tls.minProtocolVersion) ?? meshMinimum(snapshot),
        maxVersion: wordIn(VERSIONS, tls.maxProtocolVersion),
        certificates: certificatesOf(snapshot, podNamespace, server, tls),
        ca: mode === 'SIMPLE' ? undefined : caOf(snapshot, podNamespace, server, tls),
      }
  }
}

/** MeshConfig's minimum for gateways; undefined: none is set. istio: networking/core/listener.go applyDownstreamTLSDefaults. */
export function meshMinimum(snapshot: MeshSnapshot): TlsVersion | undefined {
  const { minProtocolVersion } = asObject(meshConfigOf(snapshot).settings.tlsDefaults)
  const version = text(minProtocolVersion)
  if (version === undefined || version === 'TLS_AUTO') return undefined
  return version === 'TLSV1_3' ? 'TLSV1_3' : 'TLSV1_2'
}

function certificatesOf(
  snapshot: MeshSnapshot,
  podNamespace: string,
  server: GatewayServer,
  tls: JsonObject,
): readonly CertificateSource[] {
  const field = `${serverField(server)}.tls`
  const names = credentialNames(server, tls)
  if (names.length > 0) {
    return names.map(({ name, field: own }) =>
      credential(snapshot, podNamespace, { name, field: `${field}.${own}`, keys: CERTIFICATE_KEYS }),
    )
  }
  const files = [...blocks(tls.tlsCertificates), tls].some(({ serverCertificate }) => Boolean(text(serverCertificate)))
  return [files ? FILE : WORKLOAD]
}

/** One CA for all certificates: that of the first. istio: security/model/authentication.go ApplyCredentialSDSToServerCommonTLSContext. */
function caOf(snapshot: MeshSnapshot, podNamespace: string, server: GatewayServer, tls: JsonObject): CertificateSource {
  const field = `${serverField(server)}.tls`
  const explicit = text(tls.caCertCredentialName)
  if (explicit) {
    const place = { name: explicit, field: `${field}.caCertCredentialName`, keys: CA_KEYS }
    return credential(snapshot, podNamespace, place)
  }
  const [first] = credentialNames(server, tls)
  if (first !== undefined) {
    const place = { name: `${first.name}${CA_SUFFIX}`, field: `${field}.${first.field}`, keys: CA_KEYS }
    return credential(snapshot, podNamespace, place)
  }
  return text(tls.caCertificates) ? FILE : WORKLOAD
}

function credentialNames(
  { gateway }: GatewayServer,
  tls: JsonObject,
): readonly { readonly name: string; readonly field: string }[] {
  const several = texts(tls.credentialNames)
  const list = isGatewayApi(gateway) ? 'certificateRefs' : 'credentialNames'
  if (several.length > 0) return several.map((name, index) => ({ name, field: `${list}[${index}]` }))
  const name = text(tls.credentialName)
  return name ? [{ name, field: 'credentialName' }] : []
}

interface CredentialPlace {
  readonly name: string
  readonly field: string
  readonly keys: readonly (readonly string[])[]
}

/** istio: model/credentials/resource.go ParseResourceName, xds/sds.go filterAuthorizedResources. */
function credential(snapshot: MeshSnapshot, podNamespace: string, place: CredentialPlace): CertificateSource {
  const [scheme, path] = splitScheme(place.name)
  if (scheme === 'builtin') return WORKLOAD
  if (scheme === 'sds' || scheme === 'configmap') return OTHER
  const [first = '', second] = path.split('/')
  const namespace = second === undefined ? podNamespace : first
  const name = second ?? first
  const problem = namespace === podNamespace ? secretProblem(snapshot, namespace, name, place.keys) : 'other-namespace'
  return { kind: 'secret', namespace, name, problem, field: place.field }
}

function splitScheme(name: string): readonly [string, string] {
  const [, scheme = '', path = ''] = /^([a-z-]+):\/\/(.*)$/.exec(name) ?? []
  return scheme === '' ? ['kubernetes', name] : [scheme, path]
}

/** A Secret `NAME-cacert` that is not there is looked for in `NAME`. istio: credentials/kube/secrets.go GetCaCert. */
function secretProblem(
  snapshot: MeshSnapshot,
  namespace: string,
  name: string,
  keys: CredentialPlace['keys'],
): CredentialProblem | undefined {
  const isCa = keys === CA_KEYS
  const base = isCa && name.endsWith(CA_SUFFIX) ? name.slice(0, -CA_SUFFIX.length) : name
  const secret = snapshot.get(KINDS.secret, namespace, name) ?? snapshot.get(KINDS.secret, namespace, base)
  if (secret === undefined) return 'not-found'
  return keysProblem(secret, keys)
}

/** Does the Secret lack every set of keys, one of which it needs? istio: credentials/kube/secrets.go ExtractCertInfo, ExtractRoot. */
function keysProblem(secret: KubeObject, keys: CredentialPlace['keys']): CredentialProblem | undefined {
  const data = { ...block(secret.data), ...block(secret.stringData) }
  // of a Secret that is known by its metadata only, nothing can be said
  if (block(secret.data) === undefined && block(secret.stringData) === undefined && secret.type === undefined) {
    return undefined
  }
  const isFilled = (value: Json | undefined): boolean => typeof value === 'string' && value !== ''
  if (keys.some((set) => set.every((key) => isFilled(own(data, key))))) return undefined
  return keys.some((set) => set.every((key) => own(data, key) !== undefined)) ? 'empty-keys' : 'lacks-keys'
}

const WORKLOAD: CertificateSource = { kind: 'workload' }
const FILE: CertificateSource = { kind: 'file' }
const OTHER: CertificateSource = { kind: 'other' }
const CA_SUFFIX = '-cacert'
const CERTIFICATE_KEYS = [
  ['cert', 'key'],
  ['tls.crt', 'tls.key'],
] as const
const CA_KEYS = [['cacert'], ['ca.crt']] as const
const VERSIONS: Readonly<Record<string, TlsVersion>> = {
  TLSV1_0: 'TLSV1_0',
  TLSV1_1: 'TLSV1_1',
  TLSV1_2: 'TLSV1_2',
  TLSV1_3: 'TLSV1_3',
}
