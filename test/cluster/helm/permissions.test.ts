import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { asList, asObject, type Json, type JsonObject } from '../../../src/kube/json.ts'
import { resourceOf } from '../../../src/kube/resource-names.ts'
import { splitKindName, type KindName } from '../../../src/mesh/kinds.ts'
import { createPolicyCompiler } from '../../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../../src/policy/mesh-functions/all.ts'
import { narrowKinds, watchedKinds } from '../../../src/sources/cluster/policy-kinds.ts'
import { readPolicies } from '../../../src/sources/policy-files.ts'
import { auditFile } from '../harness/api-server.ts'
import { describeNodes, meshwardImage } from '../harness/describe-cluster.ts'
import { eventually } from '../harness/eventually.ts'
import { kubectlOutput } from '../harness/kubectl.ts'
import { openInstallation, plaintext, type Installation } from './installation.ts'

// What the service account may do, as the API server tells it, and what of that it does, as its audit log tells it.
// Deeds are lines: a verb, a resource, and the name that it is narrowed to.

const ACCOUNT = 'system:serviceaccount:meshward-system:meshward'

/** Everywhere, and for a reason that the chart's README gives. */
const CLUSTER_WIDE = [
  'create events.events.k8s.io',
  'create mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'create subjectaccessreviews.authorization.k8s.io',
  'create tokenreviews.authentication.k8s.io',
  'create validatingwebhookconfigurations.admissionregistration.k8s.io',
  'get clusterroles.rbac.authorization.k8s.io meshward',
  'get mutatingwebhookconfigurations.admissionregistration.k8s.io meshward',
  'get validatingwebhookconfigurations.admissionregistration.k8s.io meshward',
  'update mutatingwebhookconfigurations.admissionregistration.k8s.io meshward',
  'update validatingwebhookconfigurations.admissionregistration.k8s.io meshward',
]
const IN_OWN_NAMESPACE = [
  'create leases.coordination.k8s.io',
  'create secrets',
  'get leases.coordination.k8s.io meshward',
  'get secrets meshward-tls',
  'list endpointslices.discovery.k8s.io',
  'update leases.coordination.k8s.io meshward',
  'update secrets meshward-tls',
]

const folder = join(import.meta.dirname, '../../../policies')
const kinds = [...watchedKinds(readPolicies([folder], createPolicyCompiler(MESH_FUNCTIONS)))]
const reads = (names: readonly KindName[]): readonly string[] =>
  names.flatMap((name) => {
    const { group, kind } = splitKindName(name)
    const { resource } = resourceOf(group, kind)
    return ['list', 'watch'].map((verb) => deed(verb, group, resource))
  })
const narrowed = narrowKinds('istio-system', ['istio-system'])
const READ_BY_POLICIES = reads(kinds.filter((name) => !narrowed.has(name)))
/** Its own namespace by default, and the one that the values below name for Secrets. */
const IN_ISTIO_NAMESPACE = reads(kinds.filter((name) => narrowed.has(name)))

function deed(verb: string, group: string, resource: string, name = ''): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`} ${name}`.trim()
}

describeNodes('the service account', () => {
  let site: Installation

  /** What an account may do with resources of a namespace and of the cluster. */
  const rules = async (account: string, namespace: string): Promise<readonly string[]> => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace } }
    const create = ['create', '-f', '-', '-o', 'json', '--validate=false', '--as', account]
    const answer: Json = JSON.parse(
      await kubectlOutput(site.cluster.kubectl, create, { stdin: JSON.stringify(review) }),
    )
    return asList(asObject(asObject(answer).status).resourceRules).flatMap((rule) => deedsOf(asObject(rule)))
  }
  /** What the account may do that others, whom nobody has granted anything, may not. */
  const granted = async (namespace: string): Promise<readonly string[]> => {
    const anybody = new Set(await rules('system:serviceaccount:meshward-system:default', namespace))
    const own = await rules(ACCOUNT, namespace)
    return [...new Set(own)].filter((line) => !anybody.has(line)).toSorted()
  }
  const done = (): ReadonlySet<string> => new Set(auditedDeeds(auditFile(site.cluster.files.folder)))

  beforeAll(async () => {
    site = await openInstallation(meshwardImage(), { auditedUser: ACCOUNT })
    await site.cluster.kubectl(['create', 'namespace', 'istio-system'])
    const hasty = ['certificates.self.leafValidity=50s', 'certificates.self.rotateBefore=47s']
    const values = [...hasty, 'rbac.secretNamespaces={istio-system}']
    await site.install(...values.flatMap((value) => ['--set', value]))
    await site.enforced()
    await site.rolledOut()
  })
  afterAll(() => site?.cluster.stop())

  test('may do in its own namespace what it does there, and nothing else', async () => {
    const expected = [...READ_BY_POLICIES, ...CLUSTER_WIDE, ...IN_OWN_NAMESPACE]
    expect(await granted('meshward-system')).toEqual(expected.toSorted())
  })

  test('reads ConfigMaps in the namespace of Istio alone, and Secrets where values say so', async () => {
    const expected = [...READ_BY_POLICIES, ...CLUSTER_WIDE, ...IN_ISTIO_NAMESPACE]
    expect(await granted('istio-system')).toEqual(expected.toSorted())
  })

  test('may do nothing elsewhere but read what policies read', async () => {
    expect(await granted('default')).toEqual([...READ_BY_POLICIES, ...CLUSTER_WIDE].toSorted())
    for (const question of ['get secrets', 'list secrets', 'get configmaps', 'delete pods', 'create pods']) {
      const { stdout } = await site.cluster.kubectl(['auth', 'can-i', ...question.split(' '), '--as', ACCOUNT])
      expect({ question, answer: stdout.trim() }).toEqual({ question, answer: 'no' })
    }
  })

  test('makes use of everything that it may do', async () => {
    // What happens once in a while: a refusal with an Event, a configuration that somebody deletes, a dry run.
    await site.apply(plaintext('refused'))
    const configurations = ['validatingwebhookconfiguration/meshward', 'mutatingwebhookconfiguration/meshward']
    await site.kubectl('delete', ...configurations)
    expect(await dryRun(await site.kubectl('create', 'token', 'default'))).toBe(403)
    // Argo's Rollouts are judged where there are any.
    const expected = [...READ_BY_POLICIES, ...CLUSTER_WIDE, ...IN_OWN_NAMESPACE, ...IN_ISTIO_NAMESPACE].filter(
      (line) => !line.endsWith('.argoproj.io'),
    )
    await eventually({ what: 'use of all rights', within: 30_000, every: 500 }, () => {
      const unused = expected.filter((line) => !done().has(line))
      if (unused.length > 0) throw new Error(`unused: ${unused.join(', ')}`)
      return true
    })
    expect([...done()].filter((line) => !expected.includes(line))).toEqual([])
  })

  /** The status that a holder of a token gets from the dry run. */
  const dryRun = async (token: string): Promise<number> => {
    const address = await site.kubectl('get', 'pods', '-o', 'jsonpath={.items[0].status.podIP}')
    const port = await site.cluster.expose(address, 8443)
    const headers = { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' }
    const options = { host: '127.0.0.1', port, path: '/dry-run', method: 'POST', headers, rejectUnauthorized: false }
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (incoming) => resolve(incoming.resume().statusCode ?? 0))
      outgoing.on('error', reject).end(JSON.stringify(plaintext('asked')))
    })
  }
})

function deedsOf({ verbs, apiGroups, resources, resourceNames }: JsonObject): readonly string[] {
  const texts = (list: Json | undefined): readonly string[] => asList(list).filter((one) => typeof one === 'string')
  const names = texts(resourceNames)
  return texts(verbs).flatMap((verb) =>
    texts(apiGroups).flatMap((group) =>
      texts(resources).flatMap((resource) =>
        (names.length === 0 ? [''] : names).map((name) => deed(verb, group, resource, name)),
      ),
    ),
  )
}

/** What was really done; names only where rights are narrowed to one. */
function auditedDeeds(file: string): readonly string[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.flatMap((line) => {
    const event: Json = JSON.parse(line)
    const { verb, objectRef } = asObject(event)
    const { apiGroup = '', resource, name = '' } = asObject(objectRef)
    if (typeof verb !== 'string' || typeof resource !== 'string') return []
    if (typeof apiGroup !== 'string' || typeof name !== 'string') return []
    return [deed(verb, apiGroup, resource, verb === 'get' || verb === 'update' ? name : '')]
  })
}
