import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { afterAll, expect, test } from 'vitest'

import { withFileLock } from '../../tools/cluster/file-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'meshward-lock-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('actions under one lock run one after the other, and who waits is told for whom', async () => {
  const path = join(folder, 'nested', 'shared.lock')
  const events: string[] = []
  const act = (name: string) =>
    withFileLock({ path, onWait: (holder) => events.push(`${name} waits for ${holder}`) }, async () => {
      events.push(`${name} begins`)
      await delay(20)
      events.push(`${name} ends`)
      return name
    })
  expect(await Promise.all([act('first'), act('second')])).toEqual(['first', 'second'])
  expect(events).toEqual([
    'first begins',
    `second waits for ${process.pid}`,
    'first ends',
    'second begins',
    'second ends',
  ])
  expect(existsSync(path)).toBe(false)
})

test('the lock of a process that is gone is taken over without waiting', async () => {
  const path = join(folder, 'dead.lock')
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(path, String(pid))
  const waits: number[] = []
  expect(await withFileLock({ path, onWait: (holder) => waits.push(holder) }, async () => 'done')).toBe('done')
  expect(waits).toEqual([])
})

test('an action that fails gives its lock back', async () => {
  const path = join(folder, 'failed.lock')
  const fail = withFileLock({ path, onWait: () => {} }, () => Promise.reject(new Error('no disk')))
  await expect(fail).rejects.toThrow('no disk')
  expect(existsSync(path)).toBe(false)
})
