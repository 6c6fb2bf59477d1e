import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import { ERROR_CODES } from '../../src/cli/error-codes.ts'

const CODE = /'((?:DOC|FILE|CLI|POLICY|BINDING|CEL)-[A-Z0-9-]+)'/g

describe('every error that a person can see has a page', () => {
  const inSource = globSync('src/**/*.ts')
    .filter((file) => !file.endsWith('error-codes.ts'))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(CODE)].map(([, code = '']) => code))

  test('whatever the source says is explained; a code that is no longer used stays, and is never used again', () => {
    expect(inSource.length).toBeGreaterThan(30)
    expect(inSource.filter((code) => !Object.hasOwn(ERROR_CODES, code))).toStrictEqual([])
  })

  test.each(Object.entries(ERROR_CODES))('%s says what it is and what to do', (_, { title, remedy }) => {
    expect(title).toMatch(/^[A-Z-].*[^.]$/)
    expect(remedy).toMatch(/^[A-Z`].*\.$/)
  })
})
