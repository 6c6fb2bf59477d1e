import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { KubeObject } from '../../src/kube/object.ts'
import { buildSnapshot } from '../../src/mesh/snapshot.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import type { PolicySet } from '../../src/policy/policy-set.ts'
import { checkDocuments } from '../../src/reports/check-documents.ts'
import { readManifests } from '../../src/sources/manifests.ts'
import { loadPolicySet } from '../../src/sources/policy-files.ts'
import { readAnalyzerCases, resourceName, type AnalyzerCase } from './istioctl-cases.ts'
import { DEVIATIONS } from './istioctl-deviations.ts'
import { rulesBehind } from './istioctl-messages.ts'
import { meshConfigMap } from './oracle-mesh.ts'
import { startTally, type Difference, type Score, type Tally } from './score.ts'

/** Of the cases in which the analyzer says nothing: nor do the rules behind its messages. */
export const CLEAN = 'nothing in clean cases'

/** Of the others: the rules say nothing about further objects. */
export const NO_MORE = 'nothing about other objects'

/**
 * Holds our rules to the tests of Istio's analyzers, each case a mesh of its own. For each message that a shipped rule stands
 * for: does the rule find that object, and as often? And do these rules find nothing where the analyzer has nothing to say?
 */
export function scoreIstioctlAnalyze(folder: string): Score {
  const policies = shippedPolicies()
  const shipped = new Set(policies.policies.map(({ code }) => code))
  const cases = readAnalyzerCases(folder)
  const covered = rulesByAnalyzer(cases, shipped)
  const others = uncovered(cases, shipped).join(', ')
  const tally = startTally(
    `istioctl analyze: the messages of its tests, by the rules that say the same; no rule for ${others}`,
  )
  for (const each of cases) {
    const rules = covered.get(each.analyzer)
    if (rules === undefined || rules.size === 0) continue
    const findings = findingsIn(each, policies).filter(({ rule }) => rules.has(rule))
    compareMessages(tally, each, findings, shipped)
    compareOthers(tally, each, findings)
  }
  const score = tally.score()
  return { ...score, differences: score.differences.map(explained) }
}

function explained(difference: Difference): Difference {
  const reason = DEVIATIONS[difference.place]
  return reason === undefined ? difference : { ...difference, reason }
}

/** The messages of which no shipped rule says anything, each code once; with its analyzer where that of another has a rule. */
function uncovered(cases: readonly AnalyzerCase[], shipped: ReadonlySet<string>): readonly string[] {
  const messages = cases.flatMap(({ analyzer, expected }) =>
    expected.map(({ code }) => ({
      code,
      analyzer,
      rules: rulesBehind(code, analyzer).filter((rule) => shipped.has(rule)),
    })),
  )
  const covered = new Set(messages.filter(({ rules }) => rules.length > 0).map(({ code }) => code))
  const others = messages.filter(({ rules }) => rules.length === 0)
  return [...new Set(others.map(({ code, analyzer }) => (covered.has(code) ? `${code} of ${analyzer}` : code)))].sort()
}

/** What a rule found, and in which object. */
interface Found {
  readonly rule: string
  readonly resource: string
  readonly field: string
}

function compareMessages(
  tally: Tally,
  { name, analyzer, expected }: AnalyzerCase,
  findings: readonly Found[],
  shipped: ReadonlySet<string>,
): void {
  const left = [...findings]
  for (const { code, resource } of expected) {
    const rules = rulesBehind(code, analyzer).filter((rule) => shipped.has(rule))
    if (rules.length === 0) continue
    const index = left.findIndex((found) => rules.includes(found.rule) && found.resource === resource)
    const found = index < 0 ? undefined : left.splice(index, 1)[0]
    tally.compare(`${code} by ${rules.join(', ')}`, `${name}: ${code} ${resource}`, resource, found?.resource)
  }
}

function compareOthers(tally: Tally, { name, analyzer, expected }: AnalyzerCase, findings: readonly Found[]): void {
  const question = expected.length === 0 ? CLEAN : NO_MORE
  const others = findings.filter(
    ({ rule, resource }) =>
      !expected.some((message) => message.resource === resource && rulesBehind(message.code, analyzer).includes(rule)),
  )
  if (others.length === 0) tally.compare(question, name, undefined, undefined)
  for (const { rule, resource, field } of others)
    tally.compare(question, `${name}: ${rule} ${resource}`, undefined, field)
}

/** The shipped rules behind the messages of each analyzer, as far as its tests show them. */
function rulesByAnalyzer(
  cases: readonly AnalyzerCase[],
  shipped: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const rules = new Map<string, Set<string>>()
  for (const { analyzer, expected } of cases) {
    const known = rules.get(analyzer) ?? new Set()
    rules.set(analyzer, known)
    for (const { code } of expected)
      for (const rule of rulesBehind(code, analyzer)) if (shipped.has(rule)) known.add(rule)
  }
  return rules
}

/** What `check` finds in the files of a case: all that there is of the mesh, beside its configuration and a gateway. */
function findingsIn({ files, meshConfigFile }: AnalyzerCase, policies: PolicySet): readonly Found[] {
  const read = readManifests(files.map((file) => ({ file, text: readFileSync(file, 'utf8'), origin: 'named' })))
  const config = meshConfigFile === undefined ? [] : [meshConfigMap(readFileSync(meshConfigFile, 'utf8'))]
  const { report } = checkDocuments({
    read,
    policies,
    context: buildSnapshot([...INSTALLED, ...config]),
    contextKinds: new Map(),
    knowledge: 'whole',
    namespace: 'default',
    defaults: 'off',
  })
  return report.findings.map(({ code, object, field }) => ({
    rule: code,
    resource: resourceName(object),
    field,
  }))
}

function shippedPolicies(): PolicySet {
  const shipped = join(import.meta.dirname, '../../policies')
  const loaded = loadPolicySet(
    { policies: [shipped], bindings: [], enforcement: 'enforce', strictTypes: false },
    createPolicyCompiler(MESH_FUNCTIONS),
  )
  if (!loaded.ok) throw new Error('the shipped policies cannot be read', { cause: loaded.issues })
  return loaded.set
}

/** Every case has what Istio's tests add to it: the gateway that an installation brings. istio: config/analysis/local AddDefaultResources. */
const INSTALLED: readonly KubeObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'istio-ingressgateway', namespace: 'istio-system', labels: { istio: 'ingressgateway' } },
    spec: { containers: [{ name: 'istio-proxy' }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'istio-ingressgateway', namespace: 'istio-system' },
    spec: {
      selector: { istio: 'ingressgateway' },
      ports: [80, 443, 31_400, 15_443].map((port) => ({ name: `tcp-${port}`, port, targetPort: port })),
    },
  },
]
