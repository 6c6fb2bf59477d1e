import type { CelEnvironment, CelIssue, CelProgram, CelType } from '../cel/types.ts'
import type { FieldPath } from '../kube/field-path.ts'
import type { YamlDocument } from '../kube/yaml-document.ts'
import type { PolicyIssue } from './policy.ts'

/** One policy while it is compiled, with what was found so far. */
export interface CompileContext {
  readonly document: YamlDocument
  readonly file: string
  /** What every expression sees. */
  readonly scope: CelEnvironment
  readonly issues: PolicyIssue[]
  /** What compiles, in the order of the text. */
  readonly expressions: CompiledExpression[]
  /** Names of the host functions that are called. */
  readonly functions: Set<string>
}

/** An expression that compiles, and where it is written. */
export interface CompiledExpression {
  readonly path: FieldPath
  readonly program: CelProgram
}

/** Compiles the expression at a path; what is wrong with it is reported at its own line and column. */
export function compileExpression(
  context: CompileContext,
  environment: CelEnvironment,
  path: FieldPath,
  source: string,
  result?: readonly CelType[],
): CelProgram | undefined {
  const outcome = environment.compile(source, result === undefined ? { literals: 'mixed' } : { result })
  const locate = (issue: CelIssue): PolicyIssue => {
    const { line, column } = context.document.locateInScalar(path, issue.start)
    return { code: issue.code, file: context.file, line, column, message: issue.message }
  }
  if (!outcome.ok) {
    context.issues.push(...outcome.issues.map(locate))
    return undefined
  }
  context.expressions.push({ path, program: outcome.program })
  for (const name of outcome.program.functions) context.functions.add(name)
  return outcome.program
}

/** Reports what is wrong at a path of the document. */
export function report(context: CompileContext, code: string, path: FieldPath, message: string): void {
  const { line, column } = context.document.locate(path)
  context.issues.push({ code, file: context.file, line, column, message })
}
