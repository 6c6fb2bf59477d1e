import { describe, expect, test } from 'vitest'

import { profileNames, readProfiles } from '../../src/sources/profiles.ts'

const SHIPPED = 'policies/profiles'

describe('the profiles of some names', () => {
  test('are those that ship, in the order in which they are named', () => {
    const { profiles, issues } = readProfiles(['resilient', 'baseline'], SHIPPED)
    expect(issues).toEqual([])
    expect(profiles.map(({ name, bindings }) => [name, bindings.map((binding) => binding.name)])).toEqual([
      ['resilient', ['resilient-refuses']],
      ['baseline', ['baseline-refuses', 'baseline-warns', 'baseline-warns-and-fills-nothing']],
    ])
  })

  test('may be a file of bindings', () => {
    const { profiles, issues } = readProfiles([`${SHIPPED}/strict.yaml`], undefined)
    expect(issues).toEqual([])
    expect(profiles.map(({ bindings }) => bindings.length)).toEqual([2])
  })

  test('are none where nothing is named', () => {
    expect(readProfiles([], SHIPPED)).toEqual({ profiles: [], issues: [] })
  })

  test.each([
    [
      'strcit',
      'no profile is called "strcit" (did you mean "strict"?): there are ambient, baseline, resilient, strict, and files of your own by their path',
    ],
    [
      'everything',
      'no profile is called "everything": there are ambient, baseline, resilient, strict, and files of your own by their path',
    ],
  ])('of which there is no "%s"', (name, message) => {
    expect(readProfiles([name], SHIPPED)).toEqual({
      profiles: [],
      issues: [{ code: 'PROFILE-NAME', file: name, line: 1, column: 1, message }],
    })
  })

  test('that cannot be read are an issue of the file', () => {
    expect(readProfiles(['./gone.yaml'], SHIPPED).issues.map(({ code, file }) => [code, file])).toEqual([
      ['POLICY-FILE', './gone.yaml'],
    ])
  })

  test('are found by the names of their files, and not at all where there is no folder', () => {
    expect(profileNames(SHIPPED)).toEqual(['ambient', 'baseline', 'resilient', 'strict'])
    expect(profileNames('no/such/folder')).toEqual([])
    expect(profileNames(undefined)).toEqual([])
  })
})
