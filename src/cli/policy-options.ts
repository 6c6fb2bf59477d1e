import { Option, type Command } from 'commander'

import { createPolicyCompiler } from '../policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../policy/mesh-functions/all.ts'
import type { Enforcement, PolicySet } from '../policy/policy-set.ts'
import { issueLine } from '../policy/policy.ts'
import { onlyPolicies } from '../reports/only-policies.ts'
import type { InputError } from '../sources/input-error.ts'
import { loadPolicySet } from '../sources/policy-files.ts'
import { profilesIn } from '../sources/profiles.ts'
import { readSchemaFiles } from '../sources/schema-files.ts'
import { append, PROFILE_OPTION } from '../webhook/option-values.ts'
import type { CliIo } from './cli-io.ts'

/** Which rules are asked, and how they are bound. */
export interface PolicyOptions {
  readonly policies: readonly string[]
  readonly bindings: readonly string[]
  readonly profile: readonly string[]
  readonly only: readonly string[]
  readonly disable: readonly string[]
  readonly enforcement: Enforcement
  readonly crds: readonly string[]
  readonly strictTypes?: boolean
}

export type PoliciesLoaded =
  /** `errors`: policies that do not compile. They are in the set and answer by their failure policy. */
  | { readonly ok: true; readonly set: PolicySet; readonly errors: readonly InputError[] }
  | { readonly ok: false; readonly errors: readonly InputError[] }

/** Gives a command the options that choose rules. */
export function addPolicyOptions(command: Command): Command {
  return command
    .option(
      '--only <rules>',
      'only these rules, by code, area or policy, joined by commas (repeatable)',
      appendList,
      [],
    )
    .option(
      '--disable <rules>',
      'all but these, by name, code or pattern, as `serve` leaves them out (repeatable)',
      appendList,
      [],
    )
    .option('--bindings <file>', 'YAML stream of MeshPolicyBinding (repeatable)', append, [])
    .option(...PROFILE_OPTION)
    .option(
      '--policies <path>',
      'folder or file of policies, beside the shipped ones or instead of them by name or code (repeatable)',
      append,
      [],
    )
    .addOption(
      new Option('--enforcement <mode>', 'the most that findings may lead to')
        .choices(['enforce', 'warn', 'off'])
        .default('enforce'),
    )
    .option(...CRDS_OPTION)
    .option('--strict-types', 'policies that name fields which the kinds of --crds do not have are errors')
}

/** Files that say which fields there are. */
export const CRDS_OPTION: [string, string, typeof append, readonly string[]] = [
  '--crds <path>',
  'CRDs, or documents of /openapi/v3, by which the fields in policies are checked: file or folder (repeatable)',
  append,
  [],
]

/** Loads, binds and restricts the rules that the options ask for. */
export function loadPolicies(options: PolicyOptions, io: CliIo): PoliciesLoaded {
  const { schemas, errors } = readSchemaFiles(options.crds, io.standardInput)
  if (errors.length > 0) return { ok: false, errors }
  const loaded = loadPolicySet(
    {
      strictTypes: options.strictTypes,
      policies: [io.shippedPolicies, ...options.policies],
      bindings: options.bindings,
      profiles: options.profile,
      shippedProfiles: profilesIn(io.shippedPolicies),
      disabled: options.disable,
      enforcement: options.enforcement,
    },
    createPolicyCompiler(MESH_FUNCTIONS, schemas),
  )
  if (!loaded.ok) return { ok: false, errors: loaded.issues }
  for (const reason of loaded.idle) io.comment(`--disable: ${reason}`)
  if (loaded.set.policies.length === 0) return { ok: false, errors: [noPolicies([io.shippedPolicies])] }
  for (const { warnings } of loaded.set.policies) for (const warning of warnings) io.comment(issueLine(warning))
  const restricted = onlyPolicies(loaded.set, options.only)
  if (restricted.ok) return { ok: true, set: restricted.set, errors: loaded.issues }
  return { ok: false, errors: [{ code: 'CLI-01', file: '', message: `--only: ${restricted.message}` }] }
}

/** Where no rule is asked, nothing would be found: that is never what a person meant. */
export function noPolicies(paths: readonly string[]): InputError {
  const message = 'there is no policy here: name a folder with policy.yaml files in it or below, or a file of policies'
  return { code: 'POLICY-FILE', file: paths.join(' '), message }
}

function appendList(value: string, before: readonly string[]): readonly string[] {
  return [...before, ...value.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]))]
}
