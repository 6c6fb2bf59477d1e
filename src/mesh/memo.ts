/**
 * A pure function of an immutable object, computed once per object and forgotten with it. This is how derived facts
 * survive a change of the mesh: the parts that did not change are the same objects.
 */
export function memo<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, { readonly value: V }>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found.value
    const value = compute(key)
    known.set(key, { value })
    return value
  }
}

/** The same for values that are equal when their keys are; it forgets nothing, so it has to be forgotten itself. */
export function memoByKey<K, V>(keyOf: (value: K) => string, compute: (value: K) => V): (value: K) => V {
  const known = new Map<string, { readonly value: V }>()
  return (input) => {
    const key = keyOf(input)
    const found = known.get(key)
    if (found !== undefined) return found.value
    const value = compute(input)
    known.set(key, { value })
    return value
  }
}
