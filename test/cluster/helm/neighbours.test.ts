import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import type { JsonObject } from '../../../src/kube/json.ts'
import { testedVersions } from '../../../tools/cluster/programs.ts'
import { installCrds } from '../harness/crds.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { createPoster, type Answer } from './admission-load.ts'
import { istioStandIn } from './istio-stand-in.ts'
import { openInstallation, peerAuthentication, plaintext, type Installation } from './installation.ts'

/** istio: pkg/webhooks/validation/controller/controller.go isDryRunOfInvalidConfigRejected */
const probe = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: {
    name: 'invalid-gateway',
    labels: { 'istio.io/rev': 'default' },
    annotations: { 'internal.istio.io/webhook-always-reject': 'true' },
  },
  spec: {},
}

/** What GW-11 refuses. */
const withoutTls = {
  servers: [{ port: { number: 443, name: 'https', protocol: 'HTTPS' }, hosts: ['shop.example.com'] }],
}

for (const versions of testedVersions) {
  describeNodes(`beside Istio, on Kubernetes ${versions.kubernetes}`, () => {
    let site: Installation
    let pods: readonly string[]

    const mayListConfigMaps = async (namespace: string): Promise<string> => {
      const account = 'system:serviceaccount:meshward-system:meshward'
      const { stdout } = await site.cluster.kubectl([
        'auth',
        'can-i',
        'list',
        'configmaps',
        '-n',
        namespace,
        '--as',
        account,
      ])
      return stdout.trim()
    }
    const create = (object: JsonObject, namespace: string): Promise<Answer> => {
      const collection = `/apis/networking.istio.io/v1/namespaces/${namespace}/gateways`
      return createPoster(site.cluster.client)({ collection, object })
    }
    /** `kubectl apply` for real, and what came of it. */
    const applied = async (object: JsonObject): Promise<string> => {
      const { code, stderr } = await site.apply(object)
      return code === 0 ? 'accepted' : (/admission webhook "([^"]+)" denied the request/.exec(stderr)?.[1] ?? stderr)
    }

    beforeAll(async () => {
      site = await openInstallation(meshwardImage(), { versions, crds: ['gateway-api'] })
      await site.install()
      await site.rolledOut()
      pods = await site.pods()
    })
    afterAll(() => site?.cluster.stop())

    test("installed before Istio, it is ready and may read ConfigMaps where Istio's will be", async () => {
      expect(pods).toHaveLength(2)
      expect(await mayListConfigMaps('istio-system')).toBe('yes')
    })

    test("it judges Istio's objects as soon as there are CRDs of them, without a restart", async () => {
      await installCrds(site.cluster.kubectl, ['istio'])
      await site.cluster.kubectl(['create', 'namespace', 'istio-system'])
      await site.enforced()
      expect(await site.pods()).toEqual(pods)
      expect(await site.apply(peerAuthentication('strict', 'default', 'STRICT'))).toMatchObject({ code: 0 })
    })

    test("an upgrade after Istio's installation leaves it the ConfigMaps of Istio's namespace alone", async () => {
      expect(await mayListConfigMaps('default')).toBe('yes')
      await site.upgrade()
      expect([await mayListConfigMaps('istio-system'), await mayListConfigMaps('default')]).toEqual(['yes', 'no'])
    })

    describe("with istiod's validating webhook", () => {
      /** The API server shows one of two refusals only. */
      const withoutIstiod = () =>
        site.kubectl('delete', 'validatingwebhookconfiguration', 'istio-validator-istio-system', '--ignore-not-found')
      let istio: Awaited<ReturnType<typeof istioStandIn>>

      beforeAll(async () => {
        istio = await istioStandIn('ghcr.io/meshward/meshward')
        // As long as istiod does not answer it must be able to see that.
        expect(await create({ ...probe, spec: withoutTls }, 'istio-system')).toMatchObject({ status: 201 })
        await site.apply(...istio.workload)
        await site.kubectl('rollout', 'status', 'deployment/istiod', '-n', 'istio-system', '--timeout=60s')
        await site.apply(istio.webhook)
      })

      test('the Gateway by which istiod tests itself is refused by istiod, as it wants it, and never by Meshward', async () => {
        const messages = new Set<string>()
        for (let round = 0; round < 20; round++) messages.add((await create(probe, 'istio-system')).message)
        expect([...messages]).toEqual([
          'admission webhook "rev.validation.istio.io" denied the request: configuration is invalid: always reject annotation',
        ])
      })

      test('each refuses what is its own to refuse, and what both accept is stored', async () => {
        expect(await applied({ ...probe, metadata: { name: 'empty' } })).toBe('rev.validation.istio.io')
        expect(await applied(plaintext('open'))).toBe('closed.validate.meshward.io')
        expect(await applied(peerAuthentication('closed', 'default', 'STRICT'))).toBe('accepted')
      })

      test.each([
        { what: 'in another namespace', namespace: 'default', object: { ...probe, spec: withoutTls } },
        {
          what: 'under another name',
          namespace: 'istio-system',
          object: { ...probe, metadata: { ...probe.metadata, name: 'invalid-gateway-2' }, spec: withoutTls },
        },
        {
          what: 'without the annotation',
          namespace: 'istio-system',
          object: { ...probe, metadata: { name: 'invalid-gateway' }, spec: withoutTls },
        },
      ])('one like it $what is judged', async ({ namespace, object }) => {
        await withoutIstiod()
        const { status, message } = await create(object, namespace)
        expect({ status, message }).toEqual({ status: 403, message: expect.stringContaining('GW-11 ') })
      })

      test('one like it that is not a dry run is judged', async () => {
        await withoutIstiod()
        expect(
          await applied({ ...probe, metadata: { ...probe.metadata, namespace: 'istio-system' }, spec: withoutTls }),
        ).toBe('closed.validate.meshward.io')
      })
    })
  })
}
