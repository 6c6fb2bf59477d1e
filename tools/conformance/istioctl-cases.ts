import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { asList, asObject, type Json } from '../../src/kube/json.ts'
import { text, texts } from '../../src/mesh/fields.ts'

/** A case of Istio's own analyzer tests: some files, and all that one analyzer says about them. */
export interface AnalyzerCase {
  readonly name: string
  readonly analyzer: string
  /** Paths. */
  readonly files: readonly string[]
  readonly meshConfigFile: string | undefined
  readonly expected: readonly AnalyzerMessage[]
}

export interface AnalyzerMessage {
  /** `IST0101`. */
  readonly code: string
  /** As `resourceName` writes it. */
  readonly resource: string
}

/** The cases of an `istioctl-analyze` folder. */
export function readAnalyzerCases(folder: string): readonly AnalyzerCase[] {
  const cases: Json = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
  return asList(cases).map((item) => {
    const { case: name, analyzer, files, meshConfigFile, expected } = asObject(item)
    const config = text(meshConfigFile)
    return {
      name: text(name) ?? '',
      analyzer: text(analyzer) ?? '',
      files: texts(files).map((file) => join(folder, file)),
      meshConfigFile: config === undefined ? undefined : join(folder, config),
      expected: asList(expected).map((row) => {
        const { code, resource } = asObject(row)
        return { code: text(code) ?? '', resource: (text(resource) ?? '').replace(' default/', ' ') }
      }),
    }
  })
}

/** `Kind namespace/name`, or `Kind name` for what has no namespace and in `default`, where objects that name none go. */
export function resourceName({
  kind,
  namespace,
  name,
}: {
  readonly kind: string
  readonly namespace: string
  readonly name: string
}): string {
  return `${kind} ${namespace === '' || namespace === 'default' ? '' : `${namespace}/`}${name}`
}
