import type { Json } from '../kube/json.ts'
import type { Type } from './check/type.ts'

/**
 * The type of a variable, parameter or result as CEL spells it: `dyn`, `bool`, `int`, `uint`, `double`, `string`,
 * `bytes`, `duration`, `timestamp`, `null_type`, `list<string>`, `map<string, dyn>`, `optional<T>` …
 */
export type CelType = string

/** The type of a variable: as CEL spells it, or as the checker has it, which alone can tell of fields. */
export type CelVariable = CelType | Type

/**
 * A function that the caller adds to the language, always under a dotted name (`mesh.effectiveMtls`).
 * Arguments arrive as JSON: the very objects that went in, never copies. The result is JSON.
 */
export interface HostFunction {
  readonly name: string
  readonly parameters: readonly CelType[]
  readonly result: CelType
  /** Cost units of one call on these arguments; 10 when left out. */
  readonly cost?: (args: readonly Json[]) => number
  readonly call: (host: unknown, args: readonly Json[]) => Json
}

export interface EnvironmentOptions {
  readonly variables: Readonly<Record<string, CelVariable>>
  readonly functions?: readonly HostFunction[]
}

export interface CelEnvironment {
  /**
   * Compiles one expression. Never throws: whatever is wrong with the source is in `issues`.
   * `result`: the types the place accepts (`['bool']`); any when left out. As in ValidatingAdmissionPolicy the
   * expression must promise one of them: `dyn` does not.
   */
  compile(source: string, options?: CompileOptions): CompileOutcome
  /** The same environment with more variables: an element of a list, the variables of a policy. */
  extend(variables: Readonly<Record<string, CelVariable>>): CelEnvironment
}

export interface CompileOptions {
  readonly result?: readonly CelType[]
  /**
   * May one list or map literal hold values of several types? Kubernetes says no, and so do we where an expression
   * decides something; places that build JSON say yes. `uniform` when left out.
   */
  readonly literals?: 'uniform' | 'mixed'
  /**
   * Are there the objects of MutatingAdmissionPolicy: `Object{…}`, `Object.spec.x{…}`, `JSONPatch{…}`? When left out,
   * where an expression builds JSON: where literals may be mixed.
   */
  readonly objects?: 'none' | 'mutation'
}

/** What is wrong, at a range of offsets (UTF-16 units) in the source as it was given. */
export interface CelIssue {
  /** Permanent code, `CEL-SYNTAX`, `CEL-UNKNOWN-NAME`, `CEL-UNKNOWN-FIELD`, `CEL-TYPE`, `CEL-LITERAL`, `CEL-LIMIT`, … */
  readonly code: string
  /** One sentence, with the nearest known name where a name is unknown. */
  readonly message: string
  readonly start: number
  readonly end: number
  /** 1-based, in the source. */
  readonly line: number
  readonly column: number
}

export type CompileOutcome =
  | { readonly ok: true; readonly program: CelProgram }
  | { readonly ok: false; readonly issues: readonly CelIssue[] }

export interface CelProgram {
  readonly source: string
  /** The type the checker inferred. */
  readonly type: Type
  /**
   * Checks the expression once more with more exact types of some variables, by name. What it finds is advice: the
   * program stays what it is. A manifest may hold null wherever its schema has something else, so comparing with it is
   * no mistake.
   */
  readonly typeCheck: (types: ReadonlyMap<string, Type>) => TypeAdvice
  /** Names of the free variables the expression reads (`object`, `params`). */
  readonly variables: ReadonlySet<string>
  /** Names of the host functions the expression calls. */
  readonly functions: ReadonlySet<string>
  /**
   * Evaluates against an activation. Never throws. Values are JSON, or the result of `celValue`, or a getter that
   * returns either (a lazily evaluated variable). Charges `budget`.
   */
  evaluate(activation: Readonly<Record<string, unknown>>, budget: CostBudget, host?: unknown): EvaluateOutcome
}

export interface TypeAdvice {
  readonly type: Type
  readonly issues: readonly CelIssue[]
}

export type EvaluateOutcome =
  | { readonly ok: true; readonly value: CelValue }
  | { readonly ok: false; readonly error: CelRuntimeError }

/** Why an evaluation ended without a value: which sub-expression, on which value. */
export interface CelRuntimeError {
  /** Permanent code: `CEL-RUNTIME`, `CEL-COST`. */
  readonly code: string
  readonly message: string
  readonly start: number
  readonly end: number
}

/** A value inside the engine: bool, bigint, number, string, Map, list, timestamp … Opaque outside of `src/cel`. */
export type CelValue = unknown

/** Cost still available. One budget is shared by all calls of a policy on one request. */
export interface CostBudget {
  /** Units one evaluation may take. */
  readonly perCall: number
  /** Units left for all of them; counted down. */
  remaining: number
}
