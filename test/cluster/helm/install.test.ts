import { afterAll, beforeAll, expect, test } from 'vitest'

import { describeNodes } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { openInstallation, plaintext, type Installation } from './installation.ts'

describeNodes('the chart', () => {
  let site: Installation

  beforeAll(async () => {
    site = await openInstallation()
  })
  afterAll(() => site?.cluster.stop())

  test('installed from nothing, plaintext is refused within 30 s of the command', async () => {
    const started = performance.now()
    await site.install()
    await site.enforced()
    expect(performance.now() - started).toBeLessThan(30_000)
  })

  test('helm test passes', async () => {
    await site.rolledOut()
    const { code, stderr } = await site.helm(['test', 'meshward', '-n', 'meshward-system'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('an upgrade to warn lets pass what was denied and warns of it, without a restart', async () => {
    const before = await site.pods()
    await site.upgrade('--set', 'enforcement=warn')
    await eventually({ what: 'a warning', within: 30_000, every: 250 }, async () => {
      const { code, stderr } = await site.apply(plaintext('warned'))
      if (code === 0 && stderr.includes('Warning: MTLS-02')) return true
      throw new Error(stderr || 'accepted without a word')
    })
    expect(await site.pods()).toEqual(before)
    await site.upgrade('--set', 'enforcement=enforce')
    await site.enforced()
  })

  test('uninstalled, nothing is left and applies work again', async () => {
    await site.uninstall()
    await site.nothingLeft()
    expect(await site.apply(plaintext('free'))).toMatchObject({ code: 0 })
  })
})
