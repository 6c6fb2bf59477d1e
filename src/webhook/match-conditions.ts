import { RE2JS } from 're2js'

import type { WebhookSettings } from './webhook-settings.ts'

/** As the API server takes them: plain JSON, so no interface. */
export type MatchCondition = { readonly name: string; readonly expression: string }

/**
 * The conditions under which the API server asks at all. An error in one would be a refusal where entries fail closed, so
 * each asks for a field before it reads it.
 */
export function matchConditions(istioNamespace: string, settings: WebhookSettings): readonly MatchCondition[] {
  const { excludedUsers, excludedGroups } = settings
  const conditions: MatchCondition[] = [
    {
      // istiod asks itself by a dry-run create of this object whether its own webhook works; nothing wider passes.
      name: 'not-the-probe-of-istiod',
      expression:
        `!(request.dryRun == true && request.operation == 'CREATE' && request.kind.kind == 'Gateway' && ` +
        `request.namespace == '${istioNamespace}' && request.name == 'invalid-gateway' && ` +
        `has(object.metadata.annotations) && 'internal.istio.io/webhook-always-reject' in object.metadata.annotations)`,
    },
    {
      name: 'not-only-the-status',
      expression:
        `request.operation != 'UPDATE' || !has(object.spec) || !has(oldObject.spec) || object.spec != oldObject.spec || ` +
        `object.metadata.?labels != oldObject.metadata.?labels || object.metadata.?annotations != oldObject.metadata.?annotations`,
    },
  ]
  if (excludedUsers.length > 0)
    conditions.push({
      name: 'not-an-excluded-user',
      expression: `!has(request.userInfo.username) || !(${isAnyOf('request.userInfo.username', excludedUsers)})`,
    })
  if (excludedGroups.length > 0)
    conditions.push({
      name: 'not-of-an-excluded-group',
      expression: `!has(request.userInfo.groups) || !request.userInfo.groups.exists(group, ${isAnyOf('group', excludedGroups)})`,
    })
  return conditions
}

/** CEL: is the value of an expression one of these names, or like one of these patterns? */
function isAnyOf(value: string, patterns: readonly string[]): string {
  const names = patterns.filter((pattern) => !pattern.includes('*'))
  const tests = patterns
    .filter((pattern) => pattern.includes('*'))
    // A literal of JSON is one of CEL.
    .map(
      (pattern) =>
        `${value}.matches(${JSON.stringify(
          `^${pattern
            .split('*')
            .map((text) => RE2JS.quote(text))
            .join('.*')}$`,
        )})`,
    )
  return [...(names.length > 0 ? [`${value} in ${JSON.stringify(names)}`] : []), ...tests].join(' || ')
}
