import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'

import { nearestName } from '../kube/nearest-name.ts'
import type { Profile } from '../policy/binding.ts'
import type { PolicyIssue } from '../policy/policy.ts'
import { readBindings } from './binding-files.ts'

const ENDING = '.yaml'

/**
 * The profiles of some names, in order: a name is that of a file in the folder of those that ship, without its ending;
 * what `isProfileFile` is one's own, a YAML stream of MeshPolicyBinding. Never throws.
 */
export function readProfiles(
  names: readonly string[],
  shipped: string | undefined,
): { readonly profiles: readonly Profile[]; readonly issues: readonly PolicyIssue[] } {
  const profiles: Profile[] = []
  const issues: PolicyIssue[] = []
  const known = names.length === 0 ? [] : profileNames(shipped)
  for (const name of names) {
    const file = fileOf(name, known, shipped)
    if (file === undefined) {
      issues.push({ code: 'PROFILE-NAME', file: name, line: 1, column: 1, message: unknownProfile(name, known) })
      continue
    }
    const read = readBindings([file])
    profiles.push({ name, bindings: read.bindings })
    issues.push(...read.issues)
  }
  return { profiles, issues }
}

/** Where the profiles stand that come with the policies of a folder. */
export function profilesIn(policies: string): string {
  return join(policies, 'profiles')
}

/** The names of the profiles in a folder; none where it cannot be read. */
export function profileNames(folder: string | undefined): readonly string[] {
  if (folder === undefined) return []
  try {
    const files = readdirSync(folder).filter((file) => file.endsWith(ENDING))
    return files.map((file) => basename(file, ENDING)).sort()
  } catch {
    return []
  }
}

/** Is it the path of a file, and no name? */
export function isProfileFile(name: string): boolean {
  return name.includes('/') || name.endsWith(ENDING)
}

function fileOf(name: string, known: readonly string[], shipped: string | undefined): string | undefined {
  if (isProfileFile(name)) return name
  return shipped !== undefined && known.includes(name) ? join(shipped, `${name}${ENDING}`) : undefined
}

function unknownProfile(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  const meant = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`
  return `no profile is called "${name}"${meant}: there are ${known.join(', ')}, and files of your own by their path`
}
