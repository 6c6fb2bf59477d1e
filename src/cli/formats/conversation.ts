import pico from 'picocolors'

import { objectName, type Decider, type Ending, type Step } from '../../mesh/conversation/step.ts'
import type { ToldConversation } from '../../reports/converse.ts'
import { table } from './table.ts'

type Colours = ReturnType<typeof pico.createColors>

/** A conversation for a terminal: how it ends and what decides that, then every step with what decides it. */
export function formatConversation({ clients, conversation }: ToldConversation, colour: boolean): string {
  const colours = pico.createColors(colour)
  const { host, port, request, steps, verdict } = conversation
  const named = request.id === '' ? '' : ` (${request.id})`
  const [first = '', ...others] = clients
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  return [
    colours.bold(`${first}${more} to ${host}:${port}, ${request.method} ${request.path}${named}`),
    `  ${verdictText(verdict, colours)}`,
    ...(verdict.by === undefined ? [] : [`  decided by ${deciderText(verdict.by)}`]),
    '',
    ...table(stepRows(steps, colours), '  '),
    '',
  ].join('\n')
}

/** A row for each step: the question, the answer, what decides it; another part of the calls has a row of its own before it. */
function stepRows(steps: readonly Step[], colours: Colours): readonly (readonly string[])[] {
  let branch = ''
  const rows: (readonly string[])[] = []
  for (const step of steps) {
    if (step.branch !== branch) rows.push([colours.bold('of which'), step.branch === '' ? 'all' : step.branch])
    branch = step.branch
    rows.push([step.topic, step.text, step.by === undefined ? '' : colours.cyan(deciderText(step.by))])
  }
  return rows
}

function verdictText({ outcome, sees, why }: Ending, colours: Colours): string {
  switch (outcome) {
    case 'ok':
      return `${colours.green('ok')}: ${sees}; ${why}`
    case 'fails':
      return `${colours.red('fails')}: ${sees}; ${why}`
    case 'partly':
      return `${colours.red('fails partly')}: ${sees}; ${why}`
    case 'unknown':
      return `${colours.yellow('unknown')}: ${sees}; ${why}`
  }
}

function deciderText({ object, field }: Decider): string {
  return `${objectName(object)} ${field}`
}
