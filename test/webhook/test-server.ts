import { pino, type Logger } from 'pino'

import type { MeshKnowledge } from '../../src/engine/mesh-knowledge.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import { createPolicySet, type Enforcement, type PolicySet } from '../../src/policy/policy-set.ts'
import { fixedSource, type Source } from '../../src/sources/source.ts'
import { createGate, type AdmissionGate } from '../../src/webhook/admission-gate.ts'
import { createAdmissionHandler } from '../../src/webhook/admission-handler.ts'
import { createApp } from '../../src/webhook/app.ts'
import { createDryRunAccess, type Authority } from '../../src/webhook/dry-run-access.ts'
import { createDryRun } from '../../src/webhook/dry-run.ts'
import { createDryRunPage } from '../../src/webhook/dry-run-page.ts'
import { syncedCheck } from '../../src/webhook/health.ts'
import { createLifecycle, drainingCheck } from '../../src/webhook/lifecycle.ts'
import { openMesh } from '../../src/webhook/mesh-in-force.ts'
import { createRateLimit } from '../../src/webhook/rate-limit.ts'
import { createMetrics } from '../../src/webhook/metrics.ts'
import { createRecheck } from '../../src/webhook/recheck-queue.ts'

const POLICIES = `
apiVersion: meshward.io/v1alpha1
kind: MeshPolicy
metadata: { name: require-strict-mtls }
spec:
  code: MTLS-02
  title: PeerAuthentication must not accept plaintext
  category: mtls
  severity: error
  description: Plaintext carries no identity.
  remediation: Set mode to STRICT, or remove it to inherit.
  matchConstraints:
    resourceRules:
      - { apiGroups: [security.istio.io], apiVersions: ["*"], resources: [peerauthentications], operations: [CREATE, UPDATE] }
  validations:
    - forEach: $.spec.mtls
      expression: "!has(target.mode) || !(target.mode in ['PERMISSIVE', 'DISABLE'])"
      field: mode
      messageExpression: "'mode ' + target.mode + ' accepts plaintext'"
---
apiVersion: meshward.io/v1alpha1
kind: MeshPolicy
metadata: { name: require-route-timeout }
spec:
  code: RES-01
  title: Routes have a timeout
  category: resilience
  severity: warning
  description: A callee that hangs holds its callers.
  remediation: Set a timeout.
  matchConstraints:
    resourceRules:
      - { apiGroups: [networking.istio.io], apiVersions: ["*"], resources: [virtualservices], operations: [CREATE, UPDATE] }
  validations:
    - forEach: $.spec.http[*]
      expression: has(target.timeout)
      field: timeout
      message: no timeout is set
  defaults:
    - { forEach: "$.spec.http[*]", when: "!has(target.timeout)", set: { timeout: "'15s'" } }
`

/** Two rules as they come from files: one that denies, and one that fills what it wants. */
export function testPolicies(enforcement: Enforcement = 'enforce'): PolicySet {
  const compiler = createPolicyCompiler(MESH_FUNCTIONS)
  const policies = parseYamlDocuments(POLICIES).map((outcome) => {
    if (!outcome.ok) throw new Error(outcome.error.message)
    const compiled = compiler.compile(outcome.document, 'test.yaml')
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.issues))
    return compiled.policy
  })
  const outcome = createPolicySet({ policies, bindings: [], enforcement })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  return outcome.set
}

export interface TestServerOptions {
  readonly policies?: Source<PolicySet>
  readonly gate?: AdmissionGate
  readonly listensOn?: string
  readonly authority?: Authority
}

const NO_MESH_OPTIONS = { maxStaleness: 0, secretNamespace: [], recheckAfter: 0, istioNamespace: 'istio-system' }

/** The app with everything around it, and what it logged. */
export function createTestServer(options: TestServerOptions = {}) {
  const logged: Record<string, unknown>[] = []
  const logger: Logger = pino({ level: 'info', base: null }, { write: (line) => logged.push(JSON.parse(line)) })
  const policies = options.policies ?? fixedSource(testPolicies())
  const mesh = openMesh(undefined, NO_MESH_OPTIONS, logger)
  const knowledge = (): MeshKnowledge => mesh.knowledge()
  const gate = options.gate ?? createGate({ requests: 16, bytes: 64 * 1024 * 1024 })
  const lifecycle = createLifecycle()
  const metrics = createMetrics({
    version: '1.2.3',
    gate,
    policies,
    mesh,
    certificateExpiry: () => new Date(1_900_000_000_000),
  })
  const rechecks = createRecheck({ policies, mesh, delay: 0, metrics, logger })
  const admission = createAdmissionHandler({ policies, mesh, knowledge, gate, metrics, logger, rechecks })
  const listensOn = () => options.listensOn ?? '127.0.0.1'
  const limit = createRateLimit({ burst: 3, perSecond: 1, keys: 2, monotonic: () => 0 })
  const access = createDryRunAccess({ listensOn, authority: options.authority, limit })
  const app = createApp({
    admission,
    dryRun: createDryRun({ policies, mesh, knowledge, access }),
    dryRunPage: createDryRunPage(new URL('../../src/webhook/dry-run-page.html', import.meta.url).pathname),
    listensOn,
    checks: [syncedCheck('policies', policies), syncedCheck('mesh', mesh), drainingCheck(lifecycle)],
    metrics,
    logger,
  })
  return { app, admission, lifecycle, gate, logged, metrics, logger }
}
