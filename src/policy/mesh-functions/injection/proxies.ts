import { asObject } from '../../../kube/json.ts'
import { nameOf as ownName, namespaceOf, labelsOf, labelValue } from '../../../kube/object.ts'
import { isCaptured } from '../../../mesh/ambient-enrolment.ts'
import { blocks, placedBlocks } from '../../../mesh/fields.ts'
import { foretellInjection, knownRevisions } from '../../../mesh/injection.ts'
import { KINDS, kindNameOf } from '../../../mesh/kinds.ts'
import { podFieldPrefix, podTemplateOf } from '../../../mesh/pod-template.ts'
import { hasSidecar, workloadOf, type Workload } from '../../../mesh/workloads.ts'
import type { Find } from '../findings-function.ts'
import type { MeshContext } from '../mesh-function.ts'

const PROXY = 'istio-proxy'
const REVISION = 'istio.io/rev'

/** A Pod that runs without the proxy that its namespace or its own labels ask for. */
export const missingProxy: Find = (context, object) => {
  const workload = workloadOf(object)
  const { phase, podIP } = asObject(object.status)
  const hasEnded = phase === 'Succeeded' || phase === 'Failed'
  if (workload === undefined || hasEnded || (phase !== 'Running' && podIP === undefined)) return []
  const { mesh } = context
  if (!foretellInjection(mesh, workload).injected || hasProxy(workload) || hasSidecar(mesh, workload)) return []
  if (isCaptured(mesh, workload)) return []
  return [
    {
      field: 'spec.containers',
      message: `${workload.name} runs without a proxy, although ${workload.namespace} asks for one: it is outside of the mesh, without mTLS and without policies`,
      remediation: 'restart it, once the injector answers',
    },
  ]
}

function hasProxy({ spec }: Workload): boolean {
  return [...blocks(spec.containers), ...blocks(spec.initContainers)].some(({ name }) => name === PROXY)
}

/** A proxy whose image is to be filled in, for which no injector does. */
export const unfilledImage: Find = (context, object) => {
  const workload = workloadOf(object)
  if (workload === undefined) return []
  const image = proxyImage(workload)
  if (image === undefined || foretellInjection(context.mesh, workload).injected) return []
  const field = `${podFieldPrefix(object)}${image}`
  if (isUnknownNamespace(context, workload)) return [{ field, outcome: 'skip' }]
  return [
    {
      field,
      message: `nothing replaces image "auto": no injector takes ${workload.name} in ${workload.namespace}, so it cannot start`,
      remediation:
        'label the namespace (istio-injection: enabled) or the pod (sidecar.istio.io/inject: "true"), or write an image',
    },
  ]
}

/** Where the image of a proxy is to be filled in. */
function proxyImage({ spec }: Workload): string | undefined {
  for (const list of ['containers', 'initContainers']) {
    const found = placedBlocks(spec[list]).find(([, { name, image }]) => name === PROXY && image === 'auto')
    if (found !== undefined) return `spec.${list}[${found[0]}].image`
  }
  return undefined
}

/** Of a namespace whose labels are in none of a few files, nobody knows whether it injects. */
function isUnknownNamespace({ before, knowledge }: MeshContext, { namespace }: Workload): boolean {
  return knowledge === 'partial' && before.namespace(namespace) === undefined
}

/** A revision or tag that no injector answers to. */
export const unknownRevision: Find = (context, object) => {
  const { mesh } = context
  const known = knownRevisions(mesh)
  const revision = labelValue(labelsOf(podTemplateOf(object) ?? object), REVISION)
  if (revision === undefined || known.has(revision)) return []
  const field = `${podFieldPrefix(object)}metadata.labels[${REVISION}]`
  if (known.size === 0) return [{ field, outcome: 'skip' }]
  const who =
    kindNameOf(object) === KINDS.namespace
      ? `what runs in ${ownName(object)}`
      : `${namespaceOf(object)}/${ownName(object)}`
  return [
    {
      field,
      message: `no injector answers to revision "${revision}", so ${who} gets no sidecar`,
      remediation: `write a revision or tag that is installed: ${[...known].sort().join(', ')}`,
      atMost: 'Warn',
    },
  ]
}
