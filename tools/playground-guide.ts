import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { Playground } from './start-playground.ts'

const examples = join(import.meta.dirname, '../examples')

/** What a person reads when the playground is ready. */
export function playgroundGuide({ cluster, meshward }: Playground): string {
  const commands = readdirSync(examples)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => [`kubectl apply -f examples/${name}`, titleOf(join(examples, name))] as const)
  const width = Math.max(...commands.map(([command]) => command.length))
  return `
A Kubernetes API server with the CRDs of Istio and Gateway API is running, with Meshward (${meshward.url}) in front of it.
There are no nodes: objects are stored, nothing runs. In another terminal:

  export KUBECONFIG=${cluster.kubeconfig}
  export PATH=${dirname(cluster.files.kubectlBinary)}:$PATH

Then try:

${commands.map(([command, title]) => `  ${command.padEnd(width)}  # ${title}`).join('\n')}

Meshward writes its log to ${meshward.process.logFile}. Ctrl-C ends everything and removes every file of it.
`
}

/** The first line of an example is a comment that says what happens to it. */
function titleOf(file: string): string {
  const [first = ''] = readFileSync(file, 'utf8').split('\n', 1)
  return first.replace(/^# /, '')
}
