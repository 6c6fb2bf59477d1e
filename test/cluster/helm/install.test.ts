import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { testedVersions } from '../../../tools/cluster/programs.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { installationBy, openInstallation, plaintext, type Installation } from './installation.ts'

// Every tested Helm on every tested Kubernetes: what one has uninstalled, the next installs from nothing.
for (const versions of testedVersions) {
  describeNodes(`the chart on Kubernetes ${versions.kubernetes}`, () => {
    let ground: Installation

    beforeAll(async () => {
      ground = await openInstallation(meshwardImage(), { versions })
    })
    afterAll(() => ground?.cluster.stop())

    test('the API server and kubectl are of that version', async () => {
      const { serverVersion, clientVersion } = JSON.parse(await ground.kubectl('version', '-o', 'json'))
      const [major, minor] = versions.kubernetes.split('.')
      expect([serverVersion, clientVersion]).toMatchObject([
        { major, minor },
        { major, minor },
      ])
    })

    describe.each(testedVersions)('by Helm $helm', ({ helm }) => {
      let site: Installation

      beforeAll(async () => {
        site = await installationBy(helm, ground.cluster)
      })

      test('installed from nothing, plaintext is refused within 30 s of the command', async () => {
        expect((await site.helm(['version', '--short'])).stdout).toMatch(`v${helm}.`)
        const started = performance.now()
        await site.install()
        await site.enforced()
        expect(performance.now() - started).toBeLessThan(30_000)
        const { stderr } = await site.apply(plaintext('open'))
        expect(stderr).toMatch(
          /admission webhook "\S+\.meshward\.io" denied the request: 1 problem in .*\n {2}MTLS-02 /,
        )
      })

      test('helm test passes', async () => {
        await site.rolledOut()
        const { code, stderr } = await site.helm(['test', 'meshward', '-n', 'meshward-system'])
        const log = code === 0 ? '' : await site.kubectl('logs', 'meshward-test')
        expect({ code, stderr, log }).toEqual({ code: 0, stderr: '', log: '' })
      })

      test('an upgrade to warn lets pass what was denied and warns of it, without a restart', async () => {
        const before = await site.pods()
        await site.upgrade('--set', 'enforcement=warn')
        await eventually({ what: 'a warning', within: 30_000, every: 250 }, async () => {
          const { code, stderr } = await site.apply(plaintext(`warned-by-helm-${helm}`))
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
        expect(await site.apply(plaintext(`free-of-helm-${helm}`))).toMatchObject({ code: 0 })
      })
    })
  })
}
