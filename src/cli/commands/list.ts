import Table from 'cli-table3'
import { Option, type Command } from 'commander'

import type { PolicySet } from '../../policy/policy-set.ts'
import type { Policy } from '../../policy/policy.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { addPolicyOptions, loadPolicies, type PolicyOptions } from '../policy-options.ts'
import { printErrors } from '../print-errors.ts'

interface ListOptions extends PolicyOptions {
  readonly output: 'table' | 'json'
}

/** `meshward list`: the rules in force and what each leads to. */
export function addListCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  const command = program
    .command('list')
    .summary('the rules in force and what each leads to')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written').choices(['table', 'json']).default('table'),
    )
  addPolicyOptions(command).action((options: ListOptions) => {
    const loaded = loadPolicies(options, io)
    if (loaded.ok) io.print(options.output === 'json' ? formatJson(loaded.set) : formatTable(loaded.set))
    printErrors(loaded.errors, io)
    exit(loaded.errors.length > 0 ? 2 : 0)
  })
}

/** A rule with one of its bindings. */
interface Row {
  readonly code: string
  readonly policy: string
  readonly area: string
  readonly severity: string
  readonly actions: readonly string[]
  readonly defaults: boolean
  readonly binding: string
  readonly title: string
}

function rowsOf({ policies, bound }: PolicySet): readonly Row[] {
  return policies.flatMap((policy) =>
    bound
      .filter((one) => one.policy === policy)
      .map(({ actions, binding, defaultsAction }) => ({
        code: policy.code,
        policy: policy.name,
        area: policy.category,
        severity: policy.severity,
        actions,
        defaults: fills(policy) && defaultsAction === 'Inject',
        binding,
        title: policy.title,
      })),
  )
}

function fills({ program }: Policy): boolean {
  return program !== undefined && program.defaults.length > 0
}

function formatJson(set: PolicySet): string {
  return `${JSON.stringify({ enforcement: set.enforcement, policies: rowsOf(set) }, null, 2)}\n`
}

function formatTable(set: PolicySet): string {
  const table = new Table({
    head: ['CODE', 'POLICY', 'ACTION', 'SEVERITY', 'FILLS', 'TITLE'],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: PLAIN,
  })
  for (const { code, policy, actions, severity, defaults, title } of rowsOf(set)) {
    table.push([code, policy, actions.join(', '), severity, defaults ? 'yes' : '', title])
  }
  return `${table.toString().replace(/ +$/gm, '')}\n`
}

// columns alone, as kubectl prints them
const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}
