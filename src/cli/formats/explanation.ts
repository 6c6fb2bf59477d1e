import type pico from 'picocolors'

import { inlineText } from '../../kube/yaml-text.ts'
import type { DescribedDefault, DescribedExample, PolicyDescription } from '../../reports/describe-policy.ts'
import { shortExpression } from '../../reports/short-expression.ts'

type Colours = ReturnType<typeof pico.createColors>

/** What there is to say about a rule, for a terminal. */
export function formatExplanation(policy: PolicyDescription, colours: Colours): string {
  const { code, title, name, category, severity, actions, description, remediation } = policy
  const blocks = [
    [
      colours.bold(`${code}: ${title}`),
      `${name}, area ${category}, severity ${severity}; ${actions.map((action) => action.toLowerCase()).join(', ')} by default`,
    ],
    wrap(description, 100),
    wrap(`What to do: ${remediation}`, 100),
    section('It looks at', policy.matches, colours),
    section('It reads, of the mesh around', policy.reads, colours),
    section('Parameters (a binding sets them)', policy.parameters.flatMap(parameterLines), colours),
    section('It fills, where absent', policy.defaults.flatMap(defaultLines), colours),
    ...policy.examples.map((example) => exampleLines(example, colours)),
  ]
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}

function section(title: string, lines: readonly string[], colours: Colours): readonly string[] {
  return lines.length === 0 ? [] : [colours.bold(title), ...lines.map((line) => `  ${line}`)]
}

function parameterLines({
  name,
  type,
  default: value,
  description,
}: PolicyDescription['parameters'][number]): readonly string[] {
  const given = value === undefined ? '' : ` = ${inlineText(value)}`
  return [`${name}: ${type}${given}`, ...wrap(description, 92).map((line) => `    ${line}`)]
}

function defaultLines({ places, set, when, note }: DescribedDefault): readonly string[] {
  return [
    ...set.map(({ field, value }) => `${field}: ${shortExpression(value)}`),
    ...places.map((place) => `    in ${place}`),
    ...(when === '' ? [] : wrap(`when ${shortExpression(when)}`, 92).map((line) => `    ${line}`)),
    ...(note === '' ? [] : wrap(note, 92).map((line) => `    ${line}`)),
  ]
}

function exampleLines(example: DescribedExample, colours: Colours): readonly string[] {
  const { name, manifest, findings, filled, change, mesh, params } = example
  const shown =
    change === ''
      ? manifest
          .trimEnd()
          .split('\n')
          .map((line) => `  ${line}`)
      : change.split('\n').map((line) => paintDiff(line, colours))
  const verdict = [
    ...findings.map(
      ({ action, field, message }) => `${action.toLowerCase()} ${field === '' ? '' : `${field}: `}${message}`,
    ),
    ...filled.map(({ field, value }) => `filled ${field}: ${value}`),
  ]
  return [
    `${colours.bold('Example:')} ${name}`,
    ...(mesh.length === 0 ? [] : [`  in a mesh with ${mesh.join(', ')}`]),
    ...(Object.keys(params).length === 0 ? [] : [`  with ${inlineText(params)}`]),
    ...shown.map((line) => `  ${line}`),
    ...(verdict.length === 0 ? ['passes'] : verdict).map((line) => `  ${colours.dim('=>')} ${line}`),
  ]
}

function paintDiff(line: string, colours: Colours): string {
  if (line.startsWith('+')) return colours.green(line)
  return line.startsWith('-') ? colours.red(line) : line
}

function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
