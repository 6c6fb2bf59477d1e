import { asList, asObject, isObject, type Json } from './json.ts'
import { labelValue } from './object.ts'

type Labels = Readonly<Record<string, string>>

/**
 * Does a Kubernetes LabelSelector (`matchLabels`, `matchExpressions`) select these labels?
 * An absent or empty selector selects everything; an unknown operator selects nothing.
 * Source: k8s.io/apimachinery `pkg/apis/meta/v1/helpers.go`, LabelSelectorAsSelector.
 */
export function matchesLabelSelector(selector: Json | undefined, labels: Labels): boolean {
  if (!isObject(selector)) return selector === undefined || selector === null
  if (!matchesLabels(selector.matchLabels, labels)) return false
  return asList(selector.matchExpressions).every((expression) => matchesExpression(expression, labels))
}

/**
 * Is every key and value of a flat label map among these labels? `{}` and absent select everything.
 * Source: istio `pkg/config/labels/instance.go`, SubsetOf.
 */
export function matchesLabels(wanted: Json | undefined, labels: Labels): boolean {
  for (const [key, value] of Object.entries(asObject(wanted))) {
    if (labelValue(labels, key) !== value) return false
  }
  return true
}

/** Labels as kubectl writes a selector: `app=web,version=v1`. */
export function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
}

function matchesExpression(expression: Json, labels: Labels): boolean {
  const { key, operator, values } = asObject(expression)
  if (typeof key !== 'string') return false
  const value = labelValue(labels, key)
  switch (operator) {
    case 'In':
      return value !== undefined && asList(values).includes(value)
    case 'NotIn':
      return value === undefined || !asList(values).includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}
