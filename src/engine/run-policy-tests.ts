import { equal, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf, parseApiVersion } from '../kube/object.ts'
import { resourceOf } from '../kube/resource-names.ts'
import { buildSnapshot } from '../mesh/snapshot.ts'
import type { ExpectedFinding, PolicyTest } from '../policy/policy-tests.ts'
import { createPolicySet } from '../policy/policy-set.ts'
import { shippedBinding } from '../policy/binding.ts'
import type { Policy, PolicyIssue } from '../policy/policy.ts'
import { applyFixes } from './apply-fixes.ts'
import { decide } from './decide.ts'
import type { Decision, Finding } from './decision.ts'
import type { AdmissionRequest } from './request.ts'

/** What came of one example. */
export interface PolicyTestResult {
  readonly test: PolicyTest
  /** The decision on it, defaults included; undefined where the policy could not be bound. */
  readonly decision: Decision | undefined
  /** The object after the fixes of its findings. */
  readonly fixed: JsonObject | undefined
  /** What is not as expected, one line each; empty = passed. */
  readonly problems: readonly string[]
}

/** Runs the examples of a policy, each with nothing but this policy in force. Never throws. */
export function runPolicyTests(policy: Policy, tests: readonly PolicyTest[]): readonly PolicyTestResult[] {
  return tests.map((test) => runTest(policy, test))
}

/** What a policy's examples must have together: one that fails and one that passes. */
export function missingExamples(tests: readonly PolicyTest[]): readonly string[] {
  const fails = tests.some(({ findings }) => findings !== undefined && findings.length > 0)
  const passes = tests.some(({ findings }) => findings !== undefined && findings.length === 0)
  return [
    ...(fails ? [] : ['no example fails: write at least one object that must have a finding, with its exact field']),
    ...(passes ? [] : ['no example passes: write at least one object that must have none (`findings: []`)']),
  ]
}

function runTest(policy: Policy, test: PolicyTest): PolicyTestResult {
  const binding = { ...shippedBinding(policy), params: test.params }
  const outcome = createPolicySet({ policies: [policy], bindings: [binding], enforcement: 'enforce' })
  if (!outcome.ok) return { test, decision: undefined, fixed: undefined, problems: outcome.issues.map(describe) }
  const { set } = outcome
  const mesh = buildSnapshot(test.mesh)
  const judge = (object: JsonObject | null): Decision =>
    decide({ request: requestOf(test, object), policies: set, mesh, phase: 'validate' })
  const completed = decide({ request: requestOf(test, test.object), policies: set, mesh, phase: 'both' })
  const decision = test.filled === undefined ? judge(test.object) : completed
  const fixed = test.object === null ? undefined : applyFixes(test.object, judge).object
  const problems = [
    ...(test.findings === undefined ? [] : compareFindings(test.findings, decision.findings)),
    ...(test.filled === undefined ? [] : compareFilled(test.filled, completed)),
    ...(test.fixed === undefined || equal(fixed, test.fixed) ? [] : [`fixed is ${JSON.stringify(fixed)}`]),
    ...(asserts(test) ? [] : ['this example says nothing: write findings, filled or fixed']),
    ...policy.issues.map(describe),
  ]
  return { test, decision, fixed, problems }
}

function asserts({ findings, filled, fixed }: PolicyTest): boolean {
  return findings !== undefined || filled !== undefined || fixed !== undefined
}

/** What says most chooses first, so that what says only a field does not take its finding away. */
function compareFindings(expected: readonly ExpectedFinding[], actual: readonly Finding[]): readonly string[] {
  const rest = [...actual]
  const problems: string[] = []
  for (const wanted of expected.toSorted((a, b) => Object.keys(b).length - Object.keys(a).length)) {
    const index = rest.findIndex((finding) => matches(wanted, finding))
    if (index < 0) problems.push(`missing: ${JSON.stringify(wanted)}`)
    else rest.splice(index, 1)
  }
  return [
    ...problems,
    ...rest.map(
      (finding) => `not expected: ${finding.outcome} at "${finding.field}": ${finding.message} (${finding.action})`,
    ),
  ]
}

function matches(wanted: ExpectedFinding, finding: Finding): boolean {
  return (
    wanted.field === finding.field &&
    (wanted.outcome ?? 'fail') === finding.outcome &&
    (wanted.message === undefined || wanted.message === finding.message) &&
    (wanted.remediation === undefined || wanted.remediation === finding.remediation) &&
    (wanted.action === undefined || wanted.action === finding.action)
  )
}

function compareFilled(expected: JsonObject, { filled }: Decision): readonly string[] {
  const actual: Record<string, Json> = {}
  for (const { field, value } of filled) actual[field] = value
  return equal(expected, actual) ? [] : [`filled is ${JSON.stringify(actual)}`]
}

function requestOf(test: PolicyTest, object: JsonObject | null): AdmissionRequest {
  const subject = object ?? test.oldObject ?? {}
  const apiVersion = typeof subject.apiVersion === 'string' ? subject.apiVersion : 'v1'
  const kind = typeof subject.kind === 'string' ? subject.kind : ''
  const { group, version } = parseApiVersion(apiVersion)
  const { resource, scope } = resourceOf(group, kind)
  const namespace = namespaceOf(subject) || test.namespace
  return {
    uid: 'test',
    operation: test.operation,
    kind: { group, version, kind },
    resource: { group, version, resource },
    subResource: '',
    name: nameOf(subject),
    namespace: kind === 'Namespace' && group === '' ? nameOf(subject) : scope === 'Cluster' ? '' : namespace,
    object: test.operation === 'DELETE' ? null : object,
    oldObject: test.oldObject,
    userInfo: test.user,
    dryRun: true,
  }
}

function describe({ file, line, column, message }: PolicyIssue): string {
  return `${file}:${line}:${column}: ${message}`
}
