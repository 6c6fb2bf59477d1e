import { isList, isObject, type Json, type JsonObject } from '../../kube/json.ts'
import { COLUMNS, type Column, type SidecarFacts } from '../../mesh/facts.ts'
import { memo } from '../../mesh/memo.ts'
import type { Inspection } from '../../reports/inspect-mesh.ts'

/**
 * `{ "facts": … }` in parts, since what a large mesh does is more text than a string may hold: a line for each workload, object or host
 * under each kind of fact. Facts are asked for as they are written. A conversation stands beside them.
 */
export function* inspectionJson({ sidecars, others }: Inspection, conversation?: Json): Generator<string> {
  const { services: _, ...rest } = others
  yield '{\n  "facts": {'
  yield* section('services', '[', textsOf(sidecars.services), ']')
  for (const column of COLUMNS) {
    yield ','
    yield* section(column, '{', columnMembers(sidecars, column), '}')
  }
  for (const [name, fact] of Object.entries({ defaultRetries: sidecars.defaultRetries(), ...rest })) {
    yield ','
    yield* factSection(name, fact ?? null)
  }
  yield '\n  }'
  if (conversation !== undefined) yield `,\n  "conversation": ${JSON.stringify(conversation)}`
  yield '\n}\n'
}

function* factSection(name: string, fact: Json): Generator<string> {
  if (isList(fact)) yield* section(name, '[', textsOf(fact), ']')
  else if (isObject(fact)) yield* section(name, '{', membersOf(fact), '}')
  else yield `\n    ${JSON.stringify(name)}: ${JSON.stringify(fact)}`
}

function* section(name: string, open: string, items: Iterable<string>, close: string): Generator<string> {
  yield `\n    ${JSON.stringify(name)}: ${open}`
  let isFirst = true
  for (const item of items) {
    yield `${isFirst ? '' : ','}\n      ${item}`
    isFirst = false
  }
  yield isFirst ? close : `\n    ${close}`
}

function* columnMembers({ workloads, columns }: SidecarFacts, column: Column): Generator<string> {
  // workloads that are alike share their fact, and so its text
  const shared = memo((fact: JsonObject | readonly Json[]) => JSON.stringify(fact))
  for (const workload of workloads) {
    const fact = columns[column](workload)
    if (fact === undefined) continue
    const text = typeof fact === 'object' && fact !== null ? shared(fact) : JSON.stringify(fact)
    yield `${JSON.stringify(`${workload.namespace}/${workload.name}`)}: ${text}`
  }
}

function* membersOf(fact: JsonObject): Generator<string> {
  for (const [name, member] of Object.entries(fact)) {
    if (member !== undefined) yield `${JSON.stringify(name)}: ${JSON.stringify(member)}`
  }
}

function* textsOf(items: readonly Json[]): Generator<string> {
  for (const item of items) yield JSON.stringify(item)
}
