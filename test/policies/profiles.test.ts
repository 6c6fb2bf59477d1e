import { describe, expect, test } from 'vitest'

import { idlePatterns, isNamedBy } from '../../src/policy/policy-names.ts'
import { createPolicySet } from '../../src/policy/policy-set.ts'
import { readProfiles } from '../../src/sources/profiles.ts'
import { CHART_SHAPES } from '../../tools/chart-shapes.ts'
import { shippedPolicies } from './shipped-policies.ts'

const policies = shippedPolicies()
const NAMES = ['baseline', 'strict', 'resilient', 'ambient']
const { profiles, issues } = readProfiles(NAMES, 'policies/profiles')

/** What the policies do under some profiles, as codes by action; `filling` are those that fill defaults. */
function under(...names: readonly string[]) {
  const chosen = names.flatMap((name) => profiles.filter((profile) => profile.name === name))
  const outcome = createPolicySet({ policies, bindings: [], profiles: chosen, enforcement: 'enforce' })
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues))
  const { bound } = outcome.set
  const doing = (action: string) =>
    new Set(bound.filter(({ actions }) => actions.join() === action).map(({ policy }) => policy.code))
  const filling = bound.filter(
    ({ policy, defaultsAction }) => defaultsAction === 'Inject' && (policy.program?.defaults.length ?? 0) > 0,
  )
  return { deny: doing('Deny'), warn: doing('Warn'), audit: doing('Audit'), filling: filling.length, bound }
}

function without(codes: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] {
  return [...codes].filter((code) => !others.has(code))
}

describe('the profiles that ship', () => {
  test('can be read, and are those of the chart', () => {
    expect(issues).toEqual([])
    expect(JSON.stringify(CHART_SHAPES.profile)).toBe(
      JSON.stringify({
        oneOf: [{ enum: ['', ...NAMES] }, { type: 'array', uniqueItems: true, items: { enum: NAMES } }],
      }),
    )
  })

  test.each(profiles.map(({ name, bindings }) => [name, bindings] as const))(
    '%s names policies that are there, each once',
    (_, bindings) => {
      expect(bindings.flatMap((binding) => idlePatterns(binding.policies, policies))).toEqual([])
      const twice = policies.filter(
        (policy) => bindings.filter((binding) => isNamedBy(binding.policies, policy)).length > 1,
      )
      expect(twice.map(({ code }) => code)).toEqual([])
    },
  )

  test('baseline speaks of every policy, denies less than they do themselves and fills nothing', () => {
    const baseline = under('baseline')
    expect(
      baseline.bound.filter(({ binding }) => !binding.startsWith('baseline-')).map(({ policy }) => policy.code),
    ).toEqual(['VS-12'])
    expect(without(baseline.deny, under().deny)).toEqual([])
    expect(baseline.deny.size).toBe(18)
    expect(baseline.filling).toBe(0)
  })

  test('strict denies all that the policies deny themselves, and more', () => {
    const strict = under('strict')
    expect(without(under().deny, strict.deny)).toEqual([])
    expect(without(strict.deny, under().deny).length).toBe(17)
    expect(strict.filling).toBe(under().filling)
  })

  test('resilient denies what is about resilience, and leaves the rest', () => {
    const resilient = under('resilient')
    const resilience = policies.filter(({ code }) => code.startsWith('RES-')).map(({ code }) => code)
    expect(resilience.filter((code) => !resilient.deny.has(code))).toEqual([])
    expect(
      [...without(resilient.deny, under().deny), ...without(under().deny, resilient.deny)].filter(
        (code) => !code.startsWith('RES-'),
      ),
    ).toEqual([])
  })

  test('ambient notes what only sidecars need, and denies sidecars', () => {
    const ambient = under('ambient')
    expect([...ambient.audit].filter((code) => !code.startsWith('SCOPE-') && !code.startsWith('INJ-'))).toEqual([
      'VS-12',
    ])
    expect(['AMB-18', 'AMB-23', 'AMB-25'].filter((code) => !ambient.deny.has(code))).toEqual([])
  })

  test('go together: the later one has the last word', () => {
    const both = under('baseline', 'resilient')
    expect(without(both.deny, under('baseline').deny).every((code) => code.startsWith('RES-'))).toBe(true)
    expect(both.deny.has('RES-01')).toBe(true)
    expect(under('resilient', 'baseline').deny).toEqual(under('baseline').deny)
  })
})
