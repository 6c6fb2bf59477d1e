import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { asObject } from '../../src/kube/json.ts'

const HELD = [
  'the large mesh',
  '10,000 VirtualServices',
  '20,000 VirtualServices',
  '10,000 Pods',
  '20,000 Pods',
] as const

// The size of V8's young generation, as `npm start` and the image set it, decides how much resides of what was read and thrown away.
const FLAGS = ['--expose-gc', '--max-semi-space-size=4'] as const

/** MB of a process, resident and of its heap, and what they are more than those of one that holds nothing. */
export interface Memory {
  readonly held: string
  readonly rss: number
  readonly more: number
  readonly heap: number
}

/** What processes use that hold objects as a snapshot, and nothing else; on Node as `npm start` runs it. */
export function measureMemory(): readonly Memory[] {
  const nothing = hold('nothing')
  return HELD.map((held) => {
    const { rss, heap } = hold(held)
    return { held, rss, more: rss - nothing.rss, heap: heap - nothing.heap }
  })
}

function hold(what: string): { readonly rss: number; readonly heap: number } {
  const script = join(import.meta.dirname, 'hold.ts')
  const { stdout, stderr } = spawnSync(process.execPath, [...FLAGS, script, what], { encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  const { rss, heap } = asObject(JSON.parse(stdout))
  return { rss: Number(rss), heap: Number(heap) }
}
