import { asObject, type JsonObject } from '../../../kube/json.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { serverCredentials } from '../../../mesh/gateway-credentials.ts'
import { relaxedSni, type RelaxedSni } from '../../../mesh/gateway-relaxed-sni.ts'
import { serverField, serverName, serversOf } from '../../../mesh/gateway-servers.ts'
import { meshMinimum } from '../../../mesh/gateway-tls.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { gatewayNamed, gatewayReferences } from '../../../mesh/references.ts'
import { nameOf as ownName, namespaceOf, type KubeObject } from '../../../kube/object.ts'
import { refOf, type MeshSnapshot } from '../../../mesh/snapshot.ts'
import { nameOf, relatedTo, type MeshFinding, type SkippedPlace } from '../finding.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

/** Secrets that a server needs and does not get. */
export const unusableCredentials: Find = (context, object) => {
  const { mesh, knowledge } = context
  const found = new Map<string, MeshFinding | SkippedPlace>()
  for (const { secret } of serverCredentials(discoveredMesh(mesh), object)) {
    const { field, namespace, name, problem } = secret
    if (problem === undefined || found.has(field)) continue
    // Where Secrets may not be looked at, nobody knows whether one is there.
    const isHidden = mesh.secretNamespaces?.has(namespace) === false
    const isUnknown = knowledge === 'partial' && mesh.inNamespace(KINDS.secret, namespace).length === 0
    if (problem !== 'other-namespace' && (isHidden || isUnknown)) found.set(field, { field, outcome: 'skip' })
    else found.set(field, { field, ...CREDENTIAL_PROBLEMS[problem](namespace, name) })
  }
  return [...found.values()]
}

const CREDENTIAL_PROBLEMS: Readonly<
  Record<
    'not-found' | 'other-namespace' | 'lacks-keys' | 'empty-keys',
    (namespace: string, name: string) => Omit<MeshFinding, 'field'>
  >
> = {
  'not-found': (namespace, name) => ({
    message: `there is no Secret ${name} in ${namespace}, where the gateway runs, so this server has no certificate and refuses connections`,
    remediation: `create the Secret in ${namespace}`,
    atMost: 'Warn',
  }),
  'other-namespace': (namespace, name) => ({
    message: `Secret ${name} lies in ${namespace}, and a gateway gets those of its own namespace only`,
    remediation: 'create the Secret in the namespace of the gateway pods, and write its name alone',
  }),
  'lacks-keys': (namespace, name) => ({
    message: `Secret ${namespace}/${name} has none of the keys that this mode needs, so this server has no certificate`,
    remediation: 'put tls.crt and tls.key into it, and ca.crt where clients must show a certificate',
  }),
  'empty-keys': (namespace, name) => ({
    message: `the keys of Secret ${namespace}/${name} are empty, so this server has no certificate`,
    remediation: 'put a certificate and its key into it',
    atMost: 'Warn',
  }),
}

/** A host for which a client certificate is demanded, and which can be asked for through a server that demands none; from either side. */
export const relaxedHosts: Find = (context, object, params) => {
  if (kindNameOf(object) === KINDS.gateway) {
    return unique(relaxedSni(discoveredMesh(context.mesh), object)).map((gap) =>
      relaxedFinding(context, { gap, own: object }, params),
    )
  }
  const names = gatewayReferences(object).map(({ gateway }) => gateway)
  const before = openHosts(discoveredMesh(context.before), names)
  return [...openHosts(discoveredMesh(context.mesh), names)]
    .filter(([key]) => !before.has(key))
    .map(([, gap]) => ({
      ...relaxedFinding(context, { gap, own: gap.strict.gateway }, params),
      field: context.operation === 'DELETE' ? '' : 'spec.hosts',
    }))
}

function openHosts(mesh: MeshSnapshot, gateways: readonly string[]): ReadonlyMap<string, RelaxedSni> {
  const open = new Map<string, RelaxedSni>()
  for (const name of new Set(gateways)) {
    const gateway = gatewayNamed(mesh, name)
    if (gateway === undefined) continue
    for (const gap of relaxedSni(mesh, gateway)) if (gap.isServed) open.set(keyOf(gap), gap)
  }
  return open
}

function keyOf({ strict, relaxed, host }: RelaxedSni): string {
  return `${serverName(strict)} ${serverName(relaxed)} ${host}`
}

function unique(gaps: readonly RelaxedSni[]): readonly RelaxedSni[] {
  return [...new Map(gaps.map((gap) => [keyOf(gap), gap])).values()]
}

function relaxedFinding(
  context: MeshContext,
  { gap, own }: { readonly gap: RelaxedSni; readonly own: KubeObject },
  params: JsonObject,
): MeshFinding {
  const { strict, relaxed, host, isServed } = gap
  const mine = serverName(strict).startsWith(`${namespaceOf(own)}/${ownName(own)}#`) ? strict : relaxed
  const other = mine === strict ? relaxed : strict
  const through = `the server for ${relaxed.hosts.join(', ')} of ${nameOf(context, refOf(relaxed.gateway), params)}`
  const effect = isServed ? 'it answers without one' : 'as soon as a route answers there, it does without one'
  return {
    field: `${serverField(mine)}.hosts`,
    message: `${host} demands a client certificate, but who opens TLS for another host may ask for it through ${through}: ${effect}`,
    remediation: `apply a VirtualService for host ${host} and gateway ${relaxed.gatewayName} whose only route is directResponse: {status: 421}`,
    related: [relatedTo(context, refOf(other.gateway), params, serverField(other))],
    ...(isServed ? {} : { atMost: 'Warn' as const }),
  }
}

/** Servers that write a lower version of TLS than the mesh's own minimum. */
export const belowMeshMinimum: Find = (context, object) => {
  const minimum = meshMinimum(context.mesh)
  if (minimum === undefined) return []
  return serversOf(object).flatMap((server) => {
    const { minProtocolVersion } = asObject(server.tls)
    const isBelow =
      typeof minProtocolVersion === 'string' && VERSION.test(minProtocolVersion) && minProtocolVersion < minimum
    if (!isBelow) return []
    return [
      {
        field: `${serverField(server)}.tls.minProtocolVersion`,
        message: `minProtocolVersion ${minProtocolVersion} is below ${minimum}, which meshConfig.tlsDefaults sets for the whole mesh`,
        remediation: `set ${minimum}, or remove it`,
        fix: [{ op: 'replace', path: `/spec/servers/${server.index}/tls/minProtocolVersion`, value: minimum }],
      },
    ]
  })
}

// The names of the versions sort like the versions.
const VERSION = /^TLSV1_[0-3]$/
