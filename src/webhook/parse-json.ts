import { isList, isObject, type Json } from '../kube/json.ts'
import { failed, type Outcome } from './http-problem.ts'

/** Nothing that recurses over a value may meet one that is nested deeper; Istio's deepest objects have 20 levels. */
const MOST_LEVELS = 200

/**
 * The value of a JSON body. A key written twice counts as its last, as in kube-apiserver. Nesting is measured on the
 * parsed value: `JSON.parse` needs no stack, and walking containers takes half the time of walking bytes.
 */
export function parseJson(body: Buffer, what: string): Outcome<Json> {
  if (body.length === 0) return failed(400, `the body is empty. Send ${what} as JSON.`)
  let value: Json
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return failed(400, `the body is not JSON: ${reason}. Send ${what} as JSON.`)
  }
  if (isDeeper(value, MOST_LEVELS)) {
    return failed(
      400,
      `the body is nested deeper than ${MOST_LEVELS} levels. No Kubernetes object needs that; flatten it.`,
    )
  }
  return { ok: true, value }
}

function isDeeper(value: Json, levels: number): boolean {
  if (isList(value)) {
    if (levels === 0) return true
    for (const item of value) if (isContainer(item) && isDeeper(item, levels - 1)) return true
    return false
  }
  if (!isObject(value)) return false
  if (levels === 0) return true
  for (const key in value) {
    const item = value[key]
    if (isContainer(item) && isDeeper(item, levels - 1)) return true
  }
  return false
}

function isContainer(value: Json | undefined): value is Json {
  return typeof value === 'object' && value !== null
}
