import { asObject } from '../../../kube/json.ts'
import { labelsText } from '../../../kube/selector.ts'
import { discoveredMesh } from '../../../mesh/discovery.ts'
import { textMap } from '../../../mesh/fields.ts'
import { unexposedServers } from '../../../mesh/gateway-exposure.ts'
import { serverField } from '../../../mesh/gateway-servers.ts'
import { gatewayPods, likelyPodsOfGateway } from '../../../mesh/gateway-workloads.ts'
import { allWorkloads } from '../../../mesh/workloads.ts'
import type { Find } from '../findings-function.ts'

/** A selector that selects no gateway. */
export const idleSelector: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  if (likelyPodsOfGateway(mesh, object).length > 0) return []
  const field = 'spec.selector'
  if (context.knowledge === 'partial' && allWorkloads(mesh).length === 0) return [{ field, outcome: 'skip' }]
  const labels = labelsText(textMap(asObject(object.spec).selector))
  const [known] = gatewayPods(mesh)
  const named = known === undefined ? '' : `, such as those of ${known.namespace}/${known.name}`
  return [
    {
      field,
      message: `no gateway has the labels ${labels}, so these servers are opened nowhere`,
      remediation: `write labels that the pods of the gateway have${context.subject.namespace === known?.namespace ? named : ''}`,
      atMost: 'Warn',
    },
  ]
}

/** Servers on a port that no Service of the gateway has. */
export const unexposed: Find = (context, object) => {
  const mesh = discoveredMesh(context.mesh)
  return unexposedServers(mesh, object).map((server) => ({
    field: `${serverField(server)}.port.number`,
    message: `no Service in front of this gateway has port ${server.port}, so nobody reaches this server`,
    remediation: `add port ${server.port} to the Service of the gateway, or write one of its ports`,
  }))
}
