import { readFileSync } from 'node:fs'

import { parseYamlDocuments, type YamlDocument, type YamlOutcome } from '../kube/yaml-document.ts'
import type { CompilePolicyOutcome, PolicyCompiler } from '../policy/compile-policy.ts'

/** Reads the documents of a file. Throws where it cannot be read. */
export type ReadDocuments = (file: string) => readonly YamlOutcome[]

export const readDocuments: ReadDocuments = (file) => parseYamlDocuments(readFileSync(file, 'utf8'))

/** A reader for files that are read again and again: of one that says what it said before, the documents are the same objects. */
export function rememberDocuments(): ReadDocuments {
  const known = new Map<string, { readonly text: string; readonly outcomes: readonly YamlOutcome[] }>()
  return (file) => {
    const text = readFileSync(file, 'utf8')
    const before = known.get(file)
    if (before?.text === text) return before.outcomes
    const outcomes = parseYamlDocuments(text)
    known.set(file, { text, outcomes })
    return outcomes
  }
}

/** A compiler that compiles no document twice: all the shipped policies take a quarter of a second, in which nobody is answered. */
export function rememberPolicies(compiler: PolicyCompiler): PolicyCompiler {
  const known = new WeakMap<YamlDocument, CompilePolicyOutcome>()
  return {
    compile(document, file) {
      const outcome = known.get(document) ?? compiler.compile(document, file)
      known.set(document, outcome)
      return outcome
    },
  }
}
