import { formatPath, type FieldPath } from '../kube/field-path.ts'
import type { PathStep } from './json-path.ts'
import type { Policy, PolicyIssue, ResourceRule } from './policy.ts'

/** A place that a default fills, decided from the text of its policy. */
interface FilledPlace {
  readonly policy: Policy
  readonly root: string
  readonly field: FieldPath
  /** The way to the field where it can be compared step by step; else only equal texts are one place. */
  readonly steps: readonly PathStep[] | undefined
}

/**
 * Two policies that would fill the same field of the same kind: which of the two values an object got would depend on
 * their order.
 */
export function conflictingDefaults(policies: readonly Policy[]): readonly PolicyIssue[] {
  const seen: FilledPlace[] = []
  const issues: PolicyIssue[] = []
  for (const policy of policies) {
    const places = placesOf(policy)
    for (const other of new Set(conflicts(places, seen))) issues.push(issueOf(policy, other))
    seen.push(...places)
  }
  return issues
}

function* conflicts(places: readonly FilledPlace[], seen: readonly FilledPlace[]): Iterable<FilledPlace> {
  for (const place of places)
    for (const other of seen) if (shareResource(place.policy, other.policy) && samePlace(place, other)) yield other
}

function issueOf(policy: Policy, { policy: other, root, field }: FilledPlace): PolicyIssue {
  const message =
    `the default for ${placeText(root, field)} is also filled by ${other.code} (${other.name}, ${other.source.file}): ` +
    'leave one of them out, or give the place to one policy'
  return { code: 'POLICY-DEFAULT-CONFLICT', file: policy.source.file, line: 1, column: 1, message }
}

function placesOf(policy: Policy): readonly FilledPlace[] {
  const rules = policy.program?.defaults ?? []
  return rules.flatMap((rule) => {
    const roots = rule.forEach.length > 0 ? rule.forEach : [{ text: '$', steps: [] }]
    return roots.flatMap(({ text, steps }) =>
      rule.set.map(({ field }) => ({ policy, root: text, field, steps: steps && [...steps, ...field.map(toStep)] })),
    )
  })
}

function samePlace(a: FilledPlace, b: FilledPlace): boolean {
  if (a.steps === undefined || b.steps === undefined)
    return a.root === b.root && formatPath(a.field) === formatPath(b.field)
  const other = b.steps
  return a.steps.length === other.length && a.steps.every((step, index) => sameStep(step, other[index]))
}

function sameStep(a: PathStep, b: PathStep | undefined): boolean {
  if (b === undefined) return false
  if (a.kind === 'any' || b.kind === 'any') return true
  return keyOf(a) === keyOf(b)
}

function keyOf(step: Exclude<PathStep, { readonly kind: 'any' }>): string {
  return step.kind === 'key' ? step.key : `${step.index}`
}

function toStep(segment: string | number): PathStep {
  return typeof segment === 'number' ? { kind: 'index', index: segment } : { kind: 'key', key: segment }
}

function placeText(root: string, field: FieldPath): string {
  const text = formatPath(field)
  return text === '' || text.startsWith('[') ? `${root}${text}` : `${root}.${text}`
}

function shareResource(a: Policy, b: Policy): boolean {
  return a.match.resourceRules.some((ruleA) => b.match.resourceRules.some((ruleB) => overlap(ruleA, ruleB)))
}

function overlap(a: ResourceRule, b: ResourceRule): boolean {
  return intersect(a.apiGroups, b.apiGroups) && intersect(a.resources, b.resources)
}

function intersect(a: readonly string[], b: readonly string[]): boolean {
  return a.includes('*') || b.includes('*') || a.some((item) => b.includes(item))
}
