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

/** A source that is there before what it reads from is. */
export interface LateSource<T> extends Source<T> {
  /** From now on this source is that one. */
  follow(source: Source<T>): void
}

/** A source that has not synced until it is told which one to follow; asking for its value before is a bug. */
export function lateSource<T>(): LateSource<T> {
  let followed: Source<T> | undefined
  return {
    current() {
      if (followed === undefined) throw new Error('a source was read before it had synced')
      return followed.current()
    },
    hasSynced: () => followed?.hasSynced() ?? false,
    follow: (source) => {
      followed = source
    },
  }
}
