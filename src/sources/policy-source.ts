import { readFile } from 'node:fs/promises'

import type { PolicyCompiler } from '../policy/compile-policy.ts'
import type { PolicyIssue } from '../policy/policy.ts'
import { withEnforcement, type Enforcement, type PolicySet } from '../policy/policy-set.ts'
import { filesBelow } from './files-below.ts'
import { loadPolicySet, type LoadOutcome, type PolicyFilesOptions } from './policy-files.ts'
import { rememberDocuments, rememberPolicies } from './read-documents.ts'
import { isProfileFile } from './profiles.ts'
import type { Source } from './source.ts'
import { watchFiles } from './watch-files.ts'

export interface PolicySourceOptions extends PolicyFilesOptions {
  /** The folder of policies that comes with the program and never changes; `policies` may replace some of it. */
  readonly shipped: string
  /** A file that holds one word, `enforce`, `warn` or `off`, and goes before `enforcement` as soon as it does. */
  readonly enforcementFile: string | undefined
  /** Milliseconds between two looks at the files. */
  readonly interval: number
  readonly compiler: PolicyCompiler
  /** Resolves when a changed set can be used without a gap: when what it reads is there, or has been waited for long enough. */
  readonly prepare?: (set: PolicySet) => Promise<void>
  readonly listener: PolicySourceListener
}

/** Told of everything that is not as it should be. */
export interface PolicySourceListener {
  /** Another set is in force; `issues` of the policies in it that do not compile. */
  readonly changed: (set: PolicySet, issues: readonly PolicyIssue[]) => void
  /** What was to disable policies names none: a sentence. */
  readonly idle: (reason: string) => void
  /** What was written is no set of policies; the last good one stays in force. */
  readonly refused: (issues: readonly PolicyIssue[]) => void
  /** A file that is watched cannot be read or understood. */
  readonly unreadable: (reason: string) => void
}

export interface PolicySource extends Source<PolicySet> {
  stop(): void
}

export type OpenPolicySourceOutcome =
  | { readonly ok: true; readonly source: PolicySource }
  | { readonly ok: false; readonly issues: readonly PolicyIssue[] }

/**
 * The policies in force, from files, kept up to date: what changes on disk is compiled beside the set in force and
 * replaces it whole, or not at all. Not ok where there is no good set to begin with.
 */
export async function openPolicySource(options: PolicySourceOptions): Promise<OpenPolicySourceOutcome> {
  const { listener } = options
  // What did not change is in the next set as it is in this one.
  const compiler = rememberPolicies(options.compiler)
  const read = rememberDocuments()
  const load = (enforcement: Enforcement): LoadOutcome =>
    loadPolicySet({ ...options, policies: [options.shipped, ...options.policies], enforcement, read }, compiler)
  const { disabledFiles = [], profileFiles = [] } = options
  const ownProfiles = (options.profiles ?? []).filter(isProfileFile)
  const watched = [...options.policies, ...options.bindings, ...ownProfiles, ...disabledFiles, ...profileFiles]
  // What cannot be read is an issue of loading, which tells it better.
  const known = await readAll(watched).catch(() => [])
  const first = load(options.enforcement)
  if (!first.ok) return first
  let set = first.set
  const use = (next: PolicySet, issues: readonly PolicyIssue[]): void => {
    set = next
    listener.changed(set, issues)
  }
  const useLoaded = (loaded: Extract<LoadOutcome, { readonly ok: true }>): void => {
    use(loaded.set, loaded.issues)
    for (const reason of loaded.idle) listener.idle(reason)
  }
  useLoaded(first)
  const stopFiles = watchFiles(known, {
    read: () => readAll(watched),
    interval: options.interval,
    failed: listener.unreadable,
    changed: async () => {
      const outcome = load(set.enforcement)
      if (!outcome.ok) return listener.refused(outcome.issues)
      await options.prepare?.(outcome.set)
      // The mode may have changed meanwhile.
      useLoaded({ ...outcome, set: withEnforcement(outcome.set, set.enforcement) })
    },
  })
  const stopEnforcement = await watchEnforcement(options, (enforcement) => use(withEnforcement(set, enforcement), []))
  const stop = (): void => {
    stopFiles()
    stopEnforcement()
  }
  return { ok: true, source: { current: () => set, hasSynced: () => true, stop } }
}

/** Applies what the file of `enforcementFile` says now and whenever it changes. Returns what ends it. */
async function watchEnforcement(
  { enforcementFile: file, interval, listener }: PolicySourceOptions,
  apply: (enforcement: Enforcement) => void,
): Promise<() => void> {
  if (file === undefined) return () => undefined
  const read = async (): Promise<readonly Buffer[]> => [await readFile(file)]
  const changed = (contents: readonly Buffer[]): void => {
    const word = Buffer.concat(contents).toString('utf8').trim()
    if (isEnforcement(word)) apply(word)
    else listener.unreadable(`${file} says "${word}", which is none of enforce, warn and off`)
  }
  const known = await read().catch(() => [])
  if (known.length > 0) changed(known)
  return watchFiles(known, { read, interval, changed, failed: listener.unreadable })
}

/** True for the three words that an installation may be set to. */
function isEnforcement(word: string): word is Enforcement {
  return word === 'enforce' || word === 'warn' || word === 'off'
}

/** Names and bytes of every file below the paths, so that a file that comes or goes is a change too. */
async function readAll(paths: readonly string[]): Promise<readonly Buffer[]> {
  const contents: Buffer[] = []
  for (const path of paths) {
    for (const file of filesBelow(path)) contents.push(Buffer.from(file), await readFile(file))
  }
  return contents
}
