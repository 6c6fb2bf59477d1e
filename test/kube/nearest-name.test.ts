import { expect, test } from 'vitest'

import { nearestName } from '../../src/kube/nearest-name.ts'

const known = ['validations', 'variables', 'defaults', 'params', 'RES-01']

test.each([
  ['validation', 'validations'],
  ['VALIDATIONS', 'validations'],
  ['varaibles', 'variables'],
  ['param', 'params'],
  ['res-1', 'RES-01'],
])('%s is meant to be %s', (name, meant) => {
  expect(nearestName(name, known)).toBe(meant)
})

test.each([['matchConstraints'], ['x'], ['constructor'], ['MTLS-02']])('%s is meant to be none of them', (name) => {
  expect(nearestName(name, known)).toBeUndefined()
})

test('of nothing nothing is meant', () => {
  expect(nearestName('a', [])).toBeUndefined()
})
