import { asList, asObject } from '../../../kube/json.ts'
import { placedBlocks, text } from '../../../mesh/fields.ts'
import { crashingHosts as positionsOf } from '../../../mesh/gateway-servers.ts'
import type { Find } from '../findings-function.ts'

/** Hosts of a server in an order that istiod does not survive. All names of all namespaces cover the others, so they may stand last. */
export const crashingHosts: Find = (_, object) =>
  placedBlocks(asObject(object.spec).servers).flatMap(([index, server]) => {
    const hosts = asList(server.hosts)
    const names = hosts.map((host) => text(host) ?? '')
    const [first] = positionsOf(names)
    if (first === undefined) return []
    const value = [...hosts.filter((host) => host !== ALL), ...hosts.filter((host) => host === ALL)]
    return [
      {
        field: `spec.servers[${index}].hosts`,
        message: `"${names[first] ?? ''}" beside "*/*" crashes istiod 1.31, and with it the control plane of the whole mesh`,
        fix: [{ op: 'replace', path: `/spec/servers/${index}/hosts`, value }],
      },
    ]
  })

const ALL = '*/*'
