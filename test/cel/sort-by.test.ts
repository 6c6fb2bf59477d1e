import { expect, test } from 'vitest'

import type { Json } from '../../src/kube/json.ts'
import { evaluate } from './evaluate.ts'

const object = {
  routes: [
    { weight: 90, host: 'a' },
    { weight: 10, host: 'b' },
  ],
  mixed: [1, 'a'],
}

test.each<[string, Json]>([
  ['[3, 1, 2].sortBy(x, -x)', [3, 2, 1]],
  ['object.routes.sortBy(route, route.weight).map(route, route.host)', ['b', 'a']],
  ['[].sortBy(x, x)', []],
  ["['b', 'a'].sortBy(x, x)[0] == 'a'", true],
  [
    'object.routes.sortBy(route, object.mixed)',
    'error: these values have no order in object.routes.sortBy(route, object.mixed)',
  ],
  ['object.mixed.sortBy(x, x)', 'error: what is sorted by must be of one type in object.mixed.sortBy(x, x)'],
  ['[1].sortBy(x, [x])', "compile: found no matching overload for 'list<int>.@sortByAssociatedKeys(list<list<int>>)'"],
  ['[1].sortBy(1, x)', 'compile: the argument must be a simple name'],
])('%s', (source, expected) => expect(evaluate(source, object)).toEqual(expected))
