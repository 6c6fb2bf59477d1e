import type { YamlDocument } from '../../src/kube/yaml-document.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { readBinding, type Binding } from '../../src/policy/binding.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { MESH_FUNCTIONS } from '../../src/policy/mesh-functions/all.ts'
import type { Policy } from '../../src/policy/policy.ts'

const compiler = createPolicyCompiler(MESH_FUNCTIONS)

/** The one document of a YAML text. */
export function documentOf(text: string): YamlDocument {
  const [outcome] = parseYamlDocuments(text)
  if (outcome?.ok !== true) throw new Error(`not a document: ${JSON.stringify(outcome)}`)
  return outcome.document
}

/** A policy from its whole text, whether it compiles or not. */
export function policyFrom(text: string, file = 'policy.yaml'): Policy {
  const outcome = compiler.compile(documentOf(text), file)
  if (!outcome.ok) throw new Error(outcome.issues.map(({ message }) => message).join('\n'))
  return outcome.policy
}

/** The text of a policy on VirtualServices; `spec` is what stands in its spec beside code, title and scope. */
export function policyText(
  spec: string,
  { code = 'TEST-1', name = 'a-test', resources = 'virtualservices' } = {},
): string {
  const head = [
    'apiVersion: meshward.io/v1alpha1',
    'kind: MeshPolicy',
    `metadata: { name: ${name} }`,
    'spec:',
    `  code: ${code}`,
    '  title: A rule',
    '  severity: error',
    '  matchConstraints:',
    '    resourceRules:',
    `      - { apiGroups: ["*"], apiVersions: ["*"], resources: [${resources}], operations: ["*"] }`,
  ]
  return `${head.join('\n')}\n${indented(spec)}`
}

/** A binding from its spec. */
export function bindingFrom(spec: string, file = 'bindings.yaml'): Binding {
  const text = `apiVersion: meshward.io/v1alpha1\nkind: MeshPolicyBinding\nspec:\n${indented(spec)}`
  const outcome = readBinding(documentOf(text), file)
  if (!outcome.ok) throw new Error(outcome.issues.map(({ message }) => message).join('\n'))
  return outcome.binding
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
