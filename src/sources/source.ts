/** Something that changes over time and is read as a whole: the policies in force, the mesh model, a setting. */
export interface Source<T> {
  /** The value as it is now. Each call may return another one; a value itself never changes. */
  current(): T
  /** False until the first complete value is known. */
  hasSynced(): boolean
}

/** A source that never changes. */
export function fixedSource<T>(value: T): Source<T> {
  return { current: () => value, hasSynced: () => true }
}
