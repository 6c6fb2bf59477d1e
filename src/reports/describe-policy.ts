import { diffLines } from 'diff'

import type { PolicyTestResult } from '../engine/run-policy-tests.ts'
import { setValue } from '../engine/set-value.ts'
import { formatPath } from '../kube/field-path.ts'
import { asObject, equal, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { nameOf, namespaceOf } from '../kube/object.ts'
import { blockLines, inlineText, type YamlStyle } from '../kube/yaml-text.ts'
import { kindsReadBy } from '../policy/mesh-functions/all.ts'
import type { Action, DefaultRule, Policy, ResourceRule, Severity } from '../policy/policy.ts'

/** Everything that a person may want to know about a rule; its page and `explain` are projections of it. */
export interface PolicyDescription {
  readonly code: string
  readonly name: string
  readonly title: string
  readonly category: string
  readonly severity: Severity
  readonly actions: readonly Action[]
  readonly description: string
  readonly remediation: string
  readonly failurePolicy: string
  /** The requests that it looks at, one line each. */
  readonly matches: readonly string[]
  readonly parameters: readonly DescribedParameter[]
  readonly defaults: readonly DescribedDefault[]
  /** Kinds of other objects that it reads. */
  readonly reads: readonly string[]
  readonly examples: readonly DescribedExample[]
}

interface DescribedParameter {
  readonly name: string
  readonly type: string
  readonly default: Json | undefined
  readonly description: string
}

export interface DescribedDefault {
  /** Where it fills, as paths in the object; empty = at its root. */
  readonly places: readonly string[]
  /** Fields, relative to the place, and the expressions that give their values. */
  readonly set: readonly { readonly field: string; readonly value: string }[]
  readonly when: string
  readonly note: string
}

/** An example as it was executed. */
export interface DescribedExample {
  readonly name: string
  readonly operation: string
  /** The object as YAML. */
  readonly manifest: string
  readonly findings: readonly { readonly action: Action; readonly field: string; readonly message: string }[]
  readonly filled: readonly { readonly field: string; readonly value: string }[]
  /** What becomes of the object, as lines of a diff with the whole of it around them; empty where nothing changes. */
  readonly change: string
  /** What else there is in the mesh: `PeerAuthentication istio-system/default`. */
  readonly mesh: readonly string[]
  /** What it was run with beside the defaults. */
  readonly params: JsonObject
  readonly problems: readonly string[]
}

/** Describes a rule with its examples as they came out. */
export function describePolicy(policy: Policy, results: readonly PolicyTestResult[]): PolicyDescription {
  const { code, name, title, category, severity, description, remediation, failurePolicy } = policy
  return {
    code,
    name,
    title,
    category,
    severity,
    actions: policy.validationActions,
    description,
    remediation,
    failurePolicy,
    matches: policy.match.resourceRules.map(describeRule),
    parameters: describeParameters(policy),
    defaults: (policy.program?.defaults ?? []).map(describeDefault),
    reads: kindsReadBy(policy),
    examples: results.map(describeExample),
  }
}

function describeRule({ apiGroups, apiVersions, resources, operations }: ResourceRule): string {
  const groups = apiGroups.map((group) => (group === '' ? 'core' : group)).join(', ')
  const versions = apiVersions.includes('*') ? 'every version' : apiVersions.join(', ')
  return `${resources.join(', ')} of ${groups} (${versions}), on ${operations.join(' and ')}`
}

function describeParameters({ params }: Policy): readonly DescribedParameter[] {
  const properties = asObject(params.schema?.properties)
  const names = [...new Set([...Object.keys(properties), ...Object.keys(params.default)])]
  return names.map((name) => {
    const { type, description } = asObject(properties[name])
    return {
      name,
      type: typeof type === 'string' ? type : 'any',
      default: params.default[name],
      description: typeof description === 'string' ? description : '',
    }
  })
}

function describeDefault({ forEach, when, set, note }: DefaultRule): DescribedDefault {
  return {
    places: forEach.map(({ text }) => text.replace(/^\$\.?/, '')).filter((place) => place !== ''),
    set: set.map(({ field, program }) => ({ field: formatPath(field), value: oneLine(program.source) })),
    when: oneLine(when?.source ?? ''),
    note: note ?? '',
  }
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}

function describeExample({ test, decision, fixed, problems }: PolicyTestResult): DescribedExample {
  const findings = decision?.findings ?? []
  const before = test.object ?? test.oldObject ?? {}
  const filled = test.filled === undefined ? [] : (decision?.filled ?? [])
  const after = test.fixed === undefined && filled.length === 0 ? before : withFilled(fixed ?? before, filled)
  return {
    name: test.name,
    operation: test.operation,
    manifest: yaml(before),
    findings: findings.map(({ action, field, message }) => ({ action, field, message })),
    filled: filled.map(({ field, value }) => ({ field, value: inlineText(value) })),
    change: equal(before, after) ? '' : wholeDiff(yaml(before), yaml(after)),
    mesh: test.mesh.map((object) => {
      const namespace = namespaceOf(object)
      return `${object.kind} ${namespace === '' ? '' : `${namespace}/`}${nameOf(object)}`
    }),
    params: test.params,
    problems,
  }
}

function withFilled(
  object: JsonObject,
  filled: readonly { readonly path: readonly (string | number)[]; readonly value: Json }[],
): JsonObject {
  let result: Json = object
  for (const { path, value } of filled) result = setValue(result, path, value)
  return isObject(result) ? result : object
}

function yaml(object: JsonObject): string {
  return `${blockLines(object, STYLE).join('\n')}\n`
}

function wholeDiff(before: string, after: string): string {
  return diffLines(before, after)
    .flatMap(({ value, added, removed }) => {
      const mark = added ? '+' : removed ? '-' : ' '
      return value
        .trimEnd()
        .split('\n')
        .map((line) => `${mark} ${line}`)
    })
    .join('\n')
}

const STYLE: YamlStyle = { indent: 2, listIndent: 2, lineBreak: '\n' }
