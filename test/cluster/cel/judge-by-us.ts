import { celValue, createBudget, createEnvironment } from '../../../src/cel/environment.ts'
import type { JsonObject } from '../../../src/kube/json.ts'
import { ADMISSION_VARIABLES } from '../../../src/policy/admission-variables.ts'
import type { Verdict } from './judge-by-api-server.ts'

const environment = createEnvironment({ variables: ADMISSION_VARIABLES })

/** What the request is that the object comes in. */
const activation = {
  request: celValue({
    kind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    resource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
    requestKind: { group: 'networking.istio.io', version: 'v1', kind: 'VirtualService' },
    requestResource: { group: 'networking.istio.io', version: 'v1', resource: 'virtualservices' },
    name: 'subject',
    namespace: 'default',
    operation: 'CREATE',
    userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
    dryRun: true,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
  }),
  namespaceObject: celValue({
    metadata: { name: 'default', labels: { 'kubernetes.io/metadata.name': 'default' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }),
}

/** What we make of an expression over an object, with what an API server hands to a validation. */
export function judgeByUs(expression: string, object: JsonObject): Verdict {
  const compiled = environment.compile(expression, { result: ['bool'] })
  if (!compiled.ok) return 'does not compile'
  const outcome = compiled.program.evaluate(
    { ...activation, object: celValue(object), oldObject: null },
    createBudget(),
  )
  return outcome.ok ? (outcome.value === true ? 'true' : 'false') : 'error'
}
