import type { Decision, Filled, Finding } from '../../src/engine/decision.ts'

/** A decision about `PeerAuthentication shop/default` that found nothing. */
export function sampleDecision(differences: Partial<Decision> = {}): Decision {
  return {
    uid: 'uid-1',
    object: { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', namespace: 'shop', name: 'default' },
    allowed: true,
    judged: true,
    findings: [],
    patch: [],
    filled: [],
    evaluated: ['require-strict-mtls'],
    skipped: 0,
    ...differences,
  }
}

/** A finding of MTLS-02 that denies. */
export function sampleFinding(differences: Partial<Finding> = {}): Finding {
  const action = differences.action ?? 'Deny'
  return {
    code: 'MTLS-02',
    policy: 'require-strict-mtls',
    outcome: 'fail',
    action,
    actions: [action],
    severity: 'error',
    field: 'spec.mtls.mode',
    path: ['spec', 'mtls', 'mode'],
    message: 'mode PERMISSIVE accepts plaintext, which carries no identity',
    remediation: 'Set mode to STRICT, or remove it to inherit.',
    ...differences,
  }
}

/** The timeout of the first route, filled by RES-01. */
export function sampleFilled(differences: Partial<Filled> = {}): Filled {
  return {
    field: 'spec.http[0].timeout',
    path: ['spec', 'http', 0, 'timeout'],
    value: '15s',
    code: 'RES-01',
    policy: 'require-route-timeout',
    ...differences,
  }
}
