import { checkSchema, type ShapeIssue } from './check-schema.ts'
import type { JsonObject } from '../kube/json.ts'
import type { PolicyHead } from './policy-head.ts'

/**
 * What is wrong with parameters of a policy, by its schema; nothing where it has none. A parameter that the schema does
 * not name is a mistake, unless the schema says otherwise. Paths are within the parameters.
 */
export function checkParams({ code, name, params }: PolicyHead, values: JsonObject): readonly ShapeIssue[] {
  const { schema } = params
  if (schema === undefined) return []
  const closed = { ...schema, type: 'object', additionalProperties: schema.additionalProperties ?? false }
  return checkSchema(values, closed).map((issue) => ({
    ...issue,
    message: `parameters of ${code} (${name}): ${issue.message.replace('the document', 'params')}`,
  }))
}
