/** Where an object of a namespace can be seen: everywhere, or in the namespaces named, which may be none. */
export type Exports = 'everywhere' | ReadonlySet<string>

/**
 * The meaning of `exportTo` of an object in the namespace `own`; where it is empty, that of the mesh's default.
 * `*` beats everything beside it, then `~` does; `.` is the namespace itself. istio: model/push_context.go.
 */
export function exportsOf(exportTo: readonly string[], own: string, fallback: readonly string[]): Exports {
  const entries = exportTo.length > 0 ? exportTo : fallback
  if (entries.includes('*')) return 'everywhere'
  if (entries.includes('~')) return NOWHERE
  return new Set(entries.map((entry) => (entry === '.' ? own : entry)))
}

/** Can the namespace see it? */
export function isExportedTo(exports: Exports, namespace: string): boolean {
  return exports === 'everywhere' || exports.has(namespace)
}

/** Is there a namespace that sees both? */
export function exportsMeet(a: Exports, b: Exports): boolean {
  if (a === 'everywhere') return b === 'everywhere' || b.size > 0
  return [...a].some((namespace) => isExportedTo(b, namespace))
}

const NOWHERE: ReadonlySet<string> = new Set()
