import { Option, type Command } from 'commander'

import { showType } from '../../cel/check/type.ts'
import { celValue, createBudget, createEnvironment, fromCel } from '../../cel/environment.ts'
import { meshView } from '../../engine/mesh-view.ts'
import { requestScope } from '../../engine/scope.ts'
import type { AdmissionRequest } from '../../engine/request.ts'
import { isList, isObject, type Json } from '../../kube/json.ts'
import { isKubeObject } from '../../kube/object.ts'
import { ADMISSION_VARIABLES } from '../../policy/admission-variables.ts'
import { MESH_FUNCTIONS } from '../../policy/mesh-functions/all.ts'
import { creationOf } from '../../reports/judged-object.ts'
import type { CliIo, ExitCode } from '../cli-io.ts'
import { addDocumentOptions, readContext, type DocumentOptions } from '../document-options.ts'
import { formatCel, type CelAnswer } from '../formats/cel.ts'
import { printErrors } from '../print-errors.ts'
import { readOne, type One } from '../read-one.ts'

interface CelOptions extends DocumentOptions {
  readonly output: 'text' | 'json'
  readonly file?: string
  readonly params?: string
}

/** `meshward cel EXPR -f object.yaml`: evaluates one expression, and shows the value, its type and what it cost. */
export function addCelCommand(program: Command, io: CliIo, exit: (code: ExitCode) => void): void {
  const command = program
    .command('cel')
    .summary('evaluate one CEL expression as a policy would')
    .argument('<expression>', 'it sees object, oldObject, request, namespaceObject, params and mesh.*')
    .option('-f, --file <file>', 'the object, as YAML or JSON; - for standard input')
    .option('--params <file>', 'the parameters, as YAML or JSON')
    .addOption(
      new Option('-o, --output <format>', 'how the answer is written').choices(['text', 'json']).default('text'),
    )
  addDocumentOptions(command).action((expression: string, options: CelOptions) => {
    exit(cel(expression, options, io))
  })
}

function cel(expression: string, options: CelOptions, io: CliIo): ExitCode {
  const object = readOne(options.file, io)
  const params = readOne(options.params, io)
  const context = readContext(options, io)
  const errors = [...object.errors, ...params.errors, ...context.errors]
  if (errors.length > 0) {
    printErrors(errors, io)
    return 2
  }
  const answer = evaluate(expression, {
    request: requestOf(object, options.namespace),
    params: params.value ?? {},
    mesh: context.mesh,
    knowledge: options.context.length === 0 ? 'partial' : 'whole',
  })
  io.print(options.output === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : formatCel(expression, answer))
  return 'error' in answer ? 2 : 0
}

interface Surroundings {
  readonly request: AdmissionRequest
  readonly params: Json
  readonly mesh: Context['mesh']
  readonly knowledge: 'whole' | 'partial'
}

type Context = ReturnType<typeof readContext>

function evaluate(expression: string, { request, params, mesh, knowledge }: Surroundings): CelAnswer {
  const compiled = createEnvironment({ variables: ADMISSION_VARIABLES, functions: MESH_FUNCTIONS }).compile(
    expression,
    {
      objects: 'mutation',
    },
  )
  if (!compiled.ok) {
    const [issue] = compiled.issues
    return { error: issue ?? { code: 'CEL-SYNTAX', message: 'this does not compile', start: 0, end: 0 } }
  }
  const view = meshView(request, { before: mesh, knowledge })
  const { activation } = requestScope(request, view)
  const budget = createBudget()
  const { remaining } = budget
  const outcome = compiled.program.evaluate({ ...activation, params: celValue(params) }, budget, view)
  if (!outcome.ok) return { error: outcome.error }
  const value = fromCel(outcome.value)
  const type = showType(compiled.program.type)
  return { value, type: type === 'dyn' ? typeOf(value) : type, cost: remaining - budget.remaining }
}

/** What a value of type dyn is, as far as its JSON tells. */
function typeOf(value: Json): string {
  if (value === null) return 'null_type'
  if (isList(value)) return 'list'
  if (isObject(value)) return 'map'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'double'
    default:
      return 'string'
  }
}

/** The creation of the object; of what is no object of the API, a request without a kind. */
function requestOf({ value }: One, namespace: string): AdmissionRequest {
  const object = isObject(value) ? value : null
  if (isKubeObject(object)) return creationOf(object, { kinds: new Map(), namespace, uid: 'cel' }).request
  const nothing = { apiVersion: '', kind: '', metadata: {} }
  return { ...creationOf(nothing, { kinds: new Map(), namespace, uid: 'cel' }).request, object }
}
