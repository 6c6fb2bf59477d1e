import { asObject } from '../kube/json.ts'
import { nameOf, namespaceOf, type KubeObject } from '../kube/object.ts'
import { memo } from './memo.ts'

/**
 * Istio's order of objects that claim the same thing: the oldest first, then by name, then by namespace. An object without
 * a creation time is about to be created, so it is the newest. istio: model/config.go configCompareByCreationTime.
 */
export function compareAge(a: KubeObject, b: KubeObject): number {
  return (
    compareText(creationOf(a), creationOf(b)) ||
    compareText(nameOf(a), nameOf(b)) ||
    compareText(namespaceOf(a), namespaceOf(b))
  )
}

/** The objects by age, oldest first; the same list for the same list. */
export const byAge: (objects: readonly KubeObject[]) => readonly KubeObject[] = memo((objects) =>
  objects.toSorted(compareAge),
)

/** When the object came into being, in a form that sorts; the end of time for one that has not yet. */
export function creationOf(object: KubeObject): string {
  const { creationTimestamp } = asObject(object.metadata)
  return typeof creationTimestamp === 'string' && creationTimestamp !== '' ? creationTimestamp : NOT_YET
}

/** Does the object say when it came into being? */
export function hasAge(object: KubeObject): boolean {
  return creationOf(object) !== NOT_YET
}

/** Order by code units, as Go compares strings of ASCII. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

const NOT_YET = '~'
