import { describe, expect, test } from 'vitest'

import { readKindSchemas } from '../../src/kube/kind-schema.ts'
import { parseYamlDocuments } from '../../src/kube/yaml-document.ts'
import { createPolicyCompiler } from '../../src/policy/compile-policy.ts'

const CRDS = `
kind: CustomResourceDefinition
spec:
  group: example.org
  names: { kind: Widget, plural: widgets }
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema: &widget
          type: object
          properties:
            spec:
              type: object
              properties:
                mode: { type: string }
                size: { x-kubernetes-int-or-string: true }
                port: { type: integer }
                labels: { type: object, additionalProperties: { type: string } }
                free: { type: object, x-kubernetes-preserve-unknown-fields: true, properties: { known: { type: string } } }
                parts:
                  type: array
                  items: { type: object, properties: { name: { type: string }, weight: { type: integer } } }
    - { name: v1beta1, served: true, schema: { openAPIV3Schema: *widget } }
---
kind: CustomResourceDefinition
spec:
  group: example.org
  names: { kind: Gadget, plural: gadgets }
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { mode: { type: string } } } } }
`

const schemas = parseYamlDocuments(CRDS).flatMap((outcome) =>
  outcome.ok ? readKindSchemas(outcome.document.value) : [],
)

/** The warnings about a policy of widgets, as `line:column message`. */
function warningsOf(rest: string, resources = '[widgets]'): readonly string[] {
  const text = `apiVersion: meshward.io/v1alpha1
kind: MeshPolicy
metadata: { name: a-test }
spec:
  code: TEST-1
  title: A rule
  severity: error
  matchConstraints:
    resourceRules: [{ apiGroups: [example.org], apiVersions: ["*"], resources: ${resources}, operations: [CREATE] }]
${rest}`
  const [document] = parseYamlDocuments(text)
  if (document?.ok !== true) throw new Error('no YAML')
  const outcome = createPolicyCompiler([], schemas).compile(document.document, 'policy.yaml')
  if (!outcome.ok) throw new Error('no policy')
  expect(outcome.policy.issues).toEqual([])
  return outcome.policy.warnings.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`)
}

function expressionIs(expression: string): string {
  return `  validations:\n    - expression: ${JSON.stringify(expression)}\n      message: x\n`
}

describe('a field that no object of the kind has', () => {
  test.each([
    ["object.spec.mod == 'a'", '11:32 CEL-UNKNOWN-FIELD unknown field "mod" in Widget.spec; did you mean "mode"?'],
    ["object.spec['mod'] == 'a'", '11:32 CEL-UNKNOWN-FIELD unknown field "mod" in Widget.spec; did you mean "mode"?'],
    ['has(object.spec.mod)', '11:36 CEL-UNKNOWN-FIELD unknown field "mod" in Widget.spec; did you mean "mode"?'],
    [
      "object.?spec.mod.orValue('') == 'a'",
      '11:33 CEL-UNKNOWN-FIELD unknown field "mod" in Widget.spec; did you mean "mode"?',
    ],
    [
      "oldObject.metadata.lables['a'] == 'b'",
      '11:39 CEL-UNKNOWN-FIELD unknown field "lables" in Widget.metadata; did you mean "labels"?',
    ],
    [
      "object.spec.parts.all(p, p.nam == 'a')",
      '11:47 CEL-UNKNOWN-FIELD unknown field "nam" in Widget.spec.parts[]; did you mean "name"?',
    ],
    ['object.spec.parts.exists(p, p.name == 1)', '11:48 CEL-TYPE no such overload: string == int'],
    ["object.spec.port.startsWith('a')", "11:20 CEL-TYPE found no matching overload for 'int.startsWith(string)'"],
  ])('%s', (expression, warning) => {
    expect(warningsOf(expressionIs(expression))).toEqual([warning])
  })

  test.each([
    ["object.spec.mode == 'a' && object.metadata.labels['a'] == 'b'"],
    ['object.spec.size == 1 || object.spec.size == "1"'],
    ["object.spec.free.anything.at.all == 1 && object.spec.free.known == 'a'"],
    ["object.spec.labels.exists(k, object.spec.labels[k] == 'a')"],
    ['object.spec.mode == null && object.spec.parts != null && object.spec != null'],
    ["'mode' in object.spec && object.spec.exists(k, k == 'mode')"],
    ['object.spec == object.metadata || object.spec == {}'],
    ["object.kind == 'Widget' && object.apiVersion != '' && oldObject == null"],
    ["object.spec[string(object.spec.port)] == 'a'"],
  ])('is not in %s', (expression) => {
    expect(warningsOf(expressionIs(expression))).toEqual([])
  })

  test('is found in every place where a policy names one', () => {
    const policy = `  params:
    schema: { properties: { most: { type: integer } } }
    default: { most: 3 }
  matchConditions: [{ name: a, expression: "has(object.spc)" }]
  variables:
    - { name: parts, expression: "object.spec.parts" }
    - { name: bad, expression: "variables.parts[0].nam" }
  validations:
    - forEach: $.spec.parts[*]
      when: "target.weigth > params.mots"
      expression: "variables.parts.all(p, p.wheight > 0)"
      field: nme
      message: x
      messageExpression: "target.name + string(target.nmae)"
      fix: [{ op: replace, path: wait.a, value: 1 }]
    - forEach: ["$.spec.parts[0]", "$.spec.partz[*]"]
      expression: "has(target.name)"
      message: x
  defaults:
    - { forEach: "$.spec.parts[*]", set: { weihgt: "1" } }
`
    expect(warningsOf(policy)).toEqual([
      '13:56 CEL-UNKNOWN-FIELD unknown field "spc" in Widget; did you mean "spec"?',
      '16:52 CEL-UNKNOWN-FIELD unknown field "nam" in Widget.spec.parts[]; did you mean "name"?',
      '19:21 CEL-UNKNOWN-FIELD unknown field "weigth" in Widget.spec.parts[]; did you mean "weight"?',
      '19:37 CEL-UNKNOWN-FIELD unknown field "mots" in params; did you mean "most"?',
      '20:45 CEL-UNKNOWN-FIELD unknown field "wheight" in Widget.spec.parts[]; did you mean "weight"?',
      '21:14 CEL-UNKNOWN-FIELD unknown field "nme" in Widget.spec.parts[]; did you mean "name"?',
      '23:55 CEL-UNKNOWN-FIELD unknown field "nmae" in Widget.spec.parts[]; did you mean "name"?',
      '24:34 CEL-UNKNOWN-FIELD unknown field "wait" in Widget.spec.parts[]; known are name, weight',
      '25:44 CEL-UNKNOWN-FIELD unknown field "partz" in Widget.spec; did you mean "parts"?',
      '29:44 CEL-UNKNOWN-FIELD unknown field "weihgt" in Widget.spec.parts[]; did you mean "weight"?',
    ])
  })
})

describe('the kinds that a policy names', () => {
  test('are checked each, and the warning says for which', () => {
    expect(warningsOf(expressionIs('has(object.spec.port)'), '[widgets, gadgets]')).toEqual([
      '11:36 CEL-UNKNOWN-FIELD for Gadget: unknown field "port" in Gadget.spec; known are mode',
    ])
  })

  test('need not all have what a path leads to', () => {
    const rule = '  validations: [{ forEach: $.spec.port, expression: "target == \'a\'", message: x }]\n'
    expect(warningsOf(rule, '[widgets, gadgets]')).toEqual([
      '10:54 CEL-TYPE for Widget: no such overload: int == string',
    ])
    expect(warningsOf(rule.replace('port', 'prt'), '[widgets, gadgets]')).toEqual([
      '10:35 CEL-UNKNOWN-FIELD for Widget: unknown field "prt" in Widget.spec; did you mean "port"?',
      '10:35 CEL-UNKNOWN-FIELD for Gadget: unknown field "prt" in Gadget.spec; known are mode',
    ])
  })

  test.each([['[gizmos]'], ['["*"]'], ['[widgets/scale]']])('are not known: %s', (resources) => {
    expect(warningsOf(expressionIs('has(object.spec.port.nope)'), resources)).toEqual([])
  })

  test.each([['[widgets/status]'], ['[gizmos, widgets]']])('are known: %s', (resources) => {
    expect(warningsOf(expressionIs('has(object.spek)'), resources)).toHaveLength(1)
  })
})
