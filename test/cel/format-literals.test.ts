import { expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

test.each<[string, Json]>([
  ["'%d of %s'.format([1, 'a'])", '1 of a'],
  ["'100%%'.format([])", '100%'],
  ["'%d'.format([object.number])", '7'],
  ["'%.2f'.format([1.5])", '1.50'],
  ["'%s'.format([[1, 2]])", '[1, 2]'],
  ["'%d'.format(['a'])", 'compile: "%d" does not take string'],
  ["'%f'.format([1])", 'compile: "%f" does not take int'],
  ["'%d %d'.format([1])", 'compile: the format asks for more than 1 arguments'],
  ["'%d'.format([1, 2])", 'compile: the format asks for 1 arguments, not 2'],
  ["'%q'.format([1])", 'compile: "%q" is no clause of a format'],
  ["'100%'.format([1])", 'compile: "%" is no clause of a format'],
])('%s', (source, expected) => expect(evaluate(source, { number: 7 })).toBe(expected))
