import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { asList, asObject, type JsonObject } from '../../src/kube/json.ts'
import { describeCluster } from './harness/describe-cluster.ts'
import { createHelm, helmOutput, type Helm } from './harness/helm.ts'
import { kubectlOutput, type KubectlResult } from './harness/kubectl.ts'
import { startMeshward, type MeshwardServer } from './harness/meshward-server.ts'
import { meshwardWebhooks } from './harness/meshward-webhooks.ts'
import { registerWebhook, type Registration } from './harness/register-webhook.ts'
import { SHOP, writeShopChart } from './helm/gitops-shop.ts'
import { argoPrediction, differs, dryRunPrediction, itemsOf } from './helm/gitops-tools.ts'

// What docs/gitops.md says of Helm, Argo CD, Flux and `meshward fix`.

const root = join(import.meta.dirname, '../..')
const ARGO = 'argocd-controller'

describeCluster('beside GitOps, objects that defaults completed', (cluster) => {
  let meshward: MeshwardServer
  let registration: Registration
  let folder: string
  let chart: string
  let namespace: string

  beforeAll(async () => {
    meshward = await startMeshward()
    registration = await registerWebhook(cluster, { name: 'meshward', ...meshwardWebhooks(meshward) })
    folder = mkdtempSync(join(tmpdir(), 'meshward-gitops-'))
    chart = writeShopChart(folder)
  })
  afterAll(async () => {
    await registration.remove()
    await meshward.stop()
    rmSync(folder, { recursive: true })
  })
  beforeEach(async () => {
    namespace = await cluster.createNamespace({ 'istio-injection': 'enabled' })
  })

  const stored = async (): Promise<readonly JsonObject[]> => {
    const get = [
      'get',
      'virtualservices,destinationrules,gateways.networking.istio.io',
      '-n',
      namespace,
      '-o',
      'json',
      '--show-managed-fields',
    ]
    return itemsOf(await kubectlOutput(cluster.kubectl, get))
  }
  /** Everything that a write would change, were it only the time of a manager. */
  const versions = async () =>
    (await stored()).map(({ kind, metadata, spec }) => {
      const { resourceVersion, generation, managedFields, annotations } = asObject(metadata)
      return { kind, resourceVersion, generation, managedFields, annotations, spec }
    })
  const timeouts = async () => {
    const [route] = await stored()
    return asList(asObject(route?.['spec'])['http']).map((http) => asObject(http)['timeout'])
  }

  describe.each<readonly [name: string, major: string, args: readonly string[]]>([
    ['Helm 4, server-side', '4', ['--server-side=true']],
    ['Helm 4, client-side', '4', ['--server-side=false']],
    ['Helm 3', '3', []],
  ])('%s', (_, major, args) => {
    let helm: Helm
    beforeAll(async () => {
      helm = await createHelm({ cluster, home: folder, major })
    })
    const install = () => helmOutput(helm, ['install', 'shop', chart, '-n', namespace, ...args])
    const upgrade = (...values: readonly string[]) =>
      helmOutput(helm, ['upgrade', 'shop', chart, '-n', namespace, ...args, ...values])

    test('an upgrade to the same changes nothing, not even a managed field', async () => {
      await install()
      expect(await timeouts()).toEqual(['15s'])
      const before = await versions()
      await upgrade()
      await upgrade()
      expect(await versions()).toEqual(before)
    })

    test('an upgrade of one field changes that alone', async () => {
      await install()
      const [route, rule] = await stored()
      await upgrade('--set', 'balancer=RANDOM')
      const [routeNow, ruleNow] = await stored()
      expect(routeNow).toEqual(route)
      const trafficPolicy = {
        ...asObject(asObject(rule?.['spec'])['trafficPolicy']),
        loadBalancer: { simple: 'RANDOM' },
      }
      expect(ruleNow?.['spec']).toEqual({ host: 'reviews', trafficPolicy })
    })

    test('a route that an upgrade adds is completed, the others keep what was filled, and a rollback takes it back', async () => {
      await install()
      const [before] = await stored()
      await upgrade('--set', 'canary=true')
      expect(await timeouts()).toEqual(['15s', '15s'])
      await helmOutput(helm, ['rollback', 'shop', '1', '-n', namespace])
      const [after] = await stored()
      expect(after?.['spec']).toEqual(before?.['spec'])
    })
  })

  const kubectl = (args: readonly string[], stdin: string): Promise<KubectlResult> =>
    cluster.kubectl([...args, '-n', namespace, '-f', '-'], { stdin })
  const applied = async (manifest: string, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await kubectl(['apply', ...args], manifest)
    if (code !== 0) throw new Error(stderr)
  }
  const serverSide = (manager: string): readonly string[] => ['--server-side', `--field-manager=${manager}`]
  /** The kinds of the objects that a tool takes for drifted. */
  const argoSees = async (manifest: string) => {
    const desired = parseAllDocuments(manifest).map((document) => asObject(document.toJS()))
    const live = await stored()
    const drifted = live.filter((object) => {
      const wanted = desired.find(({ kind }) => kind === object['kind']) ?? {}
      return differs(object, argoPrediction(object, wanted))
    })
    return drifted.map(({ kind }) => kind)
  }
  const dryRunShows = async (manager: string, manifest: string) => {
    const predicted = await dryRunPrediction(cluster.kubectl, { manager, manifest, namespace })
    const live = await stored()
    const drifted = live.filter((object) => {
      const then = predicted.find(({ kind }) => kind === object['kind']) ?? {}
      return differs(object, then)
    })
    return drifted.map(({ kind }) => kind)
  }

  describe.each<readonly [name: string, args: readonly string[]]>([
    ['Argo CD with kubectl apply', [`--field-manager=${ARGO}`]],
    ['Argo CD with ServerSideApply=true', [...serverSide(ARGO), '--force-conflicts']],
  ])('%s', (_, args) => {
    beforeEach(() => applied(SHOP, ...args))

    test('shows a default in a list as a difference, and those in maps as none', async () => {
      expect(await argoSees(SHOP)).toEqual(['VirtualService', 'Gateway'])
    })

    test('shows none where ignoreDifferences names .spec.http[].timeout', async () => {
      const [live = {}] = await stored()
      const [desired = {}] = parseAllDocuments(SHOP).map((document) => asObject(document.toJS()))
      const ignoring = (object: JsonObject): JsonObject => {
        const http = asList(asObject(object['spec'])['http']).map((route) => ({ ...asObject(route), timeout: null }))
        return { ...object, spec: { ...asObject(object['spec']), http } }
      }
      expect(differs(ignoring(live), ignoring(argoPrediction(live, desired)))).toBe(false)
    })

    test('shows none with ServerSideDiff=true, webhooks included or not', async () => {
      expect(await dryRunShows(ARGO, SHOP)).toEqual([])
    })

    test('stores nothing when it syncs again', async () => {
      const before = await versions()
      await applied(SHOP, ...args)
      await applied(SHOP, ...args)
      expect(await versions()).toEqual(before)
    })

    test('shows no difference once Git holds what fix --write wrote, by none of its ways of comparing', async () => {
      const complete = fixed(SHOP)
      expect(await dryRunShows(ARGO, complete)).toEqual([])
      expect(await argoSees(complete)).toEqual([])
      const before = await versions()
      await applied(complete, ...args)
      expect((await versions()).map(({ spec }) => spec)).toEqual(before.map(({ spec }) => spec))
      expect(await argoSees(complete)).toEqual([])
    })
  })

  test.each(['kustomize-controller', 'helm-controller'])(
    'Flux (%s) sees no drift, and stores nothing',
    async (manager) => {
      await applied(SHOP, ...serverSide(manager), '--force-conflicts')
      const before = await versions()
      expect(await dryRunShows(manager, SHOP)).toEqual([])
      await applied(SHOP, ...serverSide(manager), '--force-conflicts')
      expect(await versions()).toEqual(before)
    },
  )

  test('Flux sees no drift in a release that Helm made client-side, under another manager', async () => {
    const helm = await createHelm({ cluster, home: folder, major: '3' })
    await helmOutput(helm, ['install', 'shop', chart, '-n', namespace])
    const release = await helmOutput(helm, ['get', 'manifest', 'shop', '-n', namespace])
    const [first] = await stored()
    expect(asObject(asObject(first?.['metadata'])['annotations'])).toHaveProperty('meshward.io/filled')
    expect(await dryRunShows('helm-controller', release)).toEqual([])
  })

  test('a second manager that does not force conflicts over the list, not over the maps, and over nothing after fix', async () => {
    await applied(SHOP, ...serverSide(ARGO))
    const { code, stdout, stderr } = await kubectl(['apply', ...serverSide('somebody-else')], SHOP)
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: 'destinationrule.networking.istio.io/reviews serverside-applied\n',
    })
    for (const list of ['http', 'servers']) expect(stderr).toContain(`conflict with "${ARGO}": .spec.${list}`)
    const complete = fixed(SHOP)
    await applied(complete, ...serverSide(ARGO))
    expect(await kubectl(['apply', ...serverSide('somebody-else')], complete)).toMatchObject({ code: 0 })
  })

  test('what fix wrote is stored as it is: kubectl diff is empty, and nothing was left to fill', async () => {
    const complete = fixed(SHOP)
    await applied(complete)
    expect(await kubectl(['diff'], complete)).toMatchObject({ code: 0, stdout: '' })
    const filled = (await stored()).map(
      ({ metadata }) => asObject(asObject(metadata)['annotations'])['meshward.io/filled'],
    )
    expect(filled).toEqual([undefined, undefined, undefined])
    expect((await stored()).map(({ spec }) => spec)).toEqual(
      parseAllDocuments(complete).map((document) => asObject(document.toJS())['spec']),
    )
  })

  test('managed fields name nobody for a default in a map, and the owner of the list for one in a list', async () => {
    await applied(SHOP, ...serverSide(ARGO))
    const owned = (await stored()).map(({ metadata }) =>
      asList(asObject(metadata)['managedFields']).map((entry) => {
        const { manager, fieldsV1 } = asObject(entry)
        return [manager, Object.keys(asObject(asObject(fieldsV1)['f:spec']))]
      }),
    )
    expect(owned).toEqual([
      [[ARGO, ['f:hosts', 'f:http']]],
      [[ARGO, ['f:host']]],
      [[ARGO, ['f:selector', 'f:servers']]],
    ])
  })

  test('who compares by a dry run is told of a refusal then', async () => {
    const manifest = SHOP.replace('- route:', '- timeout: 120s\n      route:')
    await expect(dryRunShows(ARGO, manifest)).rejects.toThrow(/denied the request: .*RES-01/s)
  })

  /** The manifest after `meshward fix --write`. */
  function fixed(manifest: string): string {
    const file = join(folder, 'manifest.yaml')
    writeFileSync(file, manifest)
    execFileSync(process.execPath, ['src/cli/main.ts', 'fix', '--write', file], { cwd: root, stdio: 'pipe' })
    return readFileSync(file, 'utf8')
  }
})
