import { readBinding } from '../../src/policy/binding.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'
import { createPolicySet, type PolicySet } from '../../src/policy/policy-set.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { readPolicies } from '../../src/sources/policy-files.ts'

/** The policies of the command line's tests, with bindings given as text. */
export function fixturePolicies(bindings = ''): PolicySet {
  const { policies } = readPolicies(['test/cli/fixtures/policies'], createPolicyCompiler([]))
  const outcome = createPolicySet({ policies, bindings: readBindings(bindings), enforcement: 'enforce' })
  if (!outcome.ok) throw new Error(outcome.issues.map(({ message }) => message).join('\n'))
  return outcome.set
}

function readBindings(text: string) {
  return parseYamlDocuments(text).map((outcome) => {
    const read = outcome.ok ? readBinding(outcome.document, 'bindings.yaml') : undefined
    if (read?.ok !== true) throw new Error('the binding of a test cannot be read')
    return read.binding
  })
}
