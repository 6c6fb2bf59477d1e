import { asList, asObject, type Json } from '../../kube/json.ts'
import { inlineText } from '../../kube/yaml-text.ts'

/** Names by action: `ALLOW shop/web#0; DENY shop/admin#1`; undefined where there are none. */
export function rulesText(rules: Json | undefined): string | undefined {
  const parts = Object.entries(asObject(rules)).map(
    ([action, names]) => `${action} ${asList(names).map(inlineText).join(', ') || 'nothing'}`,
  )
  return parts.length === 0 ? undefined : parts.join('; ')
}
