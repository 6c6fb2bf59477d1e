import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { benchBodies, bodyToFill, type BenchBody } from './webhook/bodies.ts'
import { measure, type Measurement } from './webhook/measure.ts'
import { startServer, type ServerSpec, type ServerUnderTest } from './webhook/server-under-test.ts'
import { markdown, resultTable } from './webhook/table.ts'

/*
 * npm run bench [-- --rounds 5 --seconds 1 --only TEXT]
 * Meshward and the servers it is measured against, in one run, on the same bodies, in turn. Prints Markdown.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(values.rounds)
const milliseconds = Number(values.seconds) * 1000
const root = join(import.meta.dirname, '..')

const baseline = (kind: string): ServerSpec => ({
  name: kind,
  path: '/validate',
  args: ['bench/webhook/baseline-server.ts', kind],
})
const meshward: ServerSpec = {
  name: 'Meshward validate',
  path: '/validate',
  args: ['--max-semi-space-size=4', 'src/main.ts', '--port', '0'],
}
const bundled: ServerSpec = {
  ...meshward,
  name: 'Meshward bundled',
  args: ['--max-semi-space-size=4', 'dist/lib/main.js', '--port', '0'],
}

const [load] = execFileSync('uptime', { encoding: 'utf8' }).split('load average: ').slice(1)
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
console.log(
  `Commit ${commit}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}, load before ${load}`,
)

if (!existsSync(join(root, bundled.args[1] ?? ''))) execFileSync('npm', ['run', 'build'], { cwd: root })
console.log('### Start and memory\n')
console.log(await startAndMemory([meshward, bundled]))

const servers = await Promise.all([baseline('limit'), baseline('d'), baseline('c'), meshward].map(startServer))
const [, , , validate] = servers
if (validate === undefined) throw new Error('four servers were started')
const mutate: ServerUnderTest = { ...validate, name: 'Meshward mutate', path: '/mutate' }
try {
  const bodies = benchBodies().filter(({ name }) => name.includes(values.only))
  console.log('\n### 16 connections\n')
  console.log(resultTable(await onEach(bodies, [...servers, mutate], 16), 'd'))
  console.log('\n### 16 connections, something to fill in each of 300 routes\n')
  console.log(resultTable(await onEach([bodyToFill()], [...servers, mutate], 16), 'd'))
  console.log('\n### 1 connection: what a request feels when nothing else goes on\n')
  console.log(resultTable(await onEach(bodies, [...servers, mutate], 1), 'd'))
  console.log(`\nMeshward's memory after this load: ${validate.memory().toFixed(0)} MB`)
} finally {
  await Promise.all(servers.map((server) => server.stop()))
}

async function onEach(
  bodies: readonly BenchBody[],
  servers: readonly ServerUnderTest[],
  connections: number,
): Promise<readonly Measurement[]> {
  const all: Measurement[] = []
  for (const body of bodies) all.push(...(await measure({ servers, body, connections, rounds, milliseconds })))
  return all
}

async function startAndMemory(specs: readonly ServerSpec[]): Promise<string> {
  const rows: string[][] = []
  for (const spec of specs) {
    const startups: number[] = []
    let idle = Number.NaN
    for (let index = 0; index < 7; index += 1) {
      const server = await startServer(spec)
      startups.push(server.startup)
      // Node tidies up some seconds after its last work.
      if (index === 6) await sleep(10_000)
      idle = server.memory()
      await server.stop()
    }
    startups.sort((a, b) => a - b)
    rows.push([spec.name, startups[3]?.toFixed(0) ?? '', startups[0]?.toFixed(0) ?? '', idle.toFixed(0)])
  }
  return markdown(['', 'spawn to ready, median of 7, ms', 'fastest, ms', 'memory after 10 s idle, MB'], rows)
}
