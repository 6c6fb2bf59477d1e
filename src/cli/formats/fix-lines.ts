import { formatPath, fromPointer } from '../../kube/field-path.ts'
import type { Json } from '../../kube/json.ts'
import type { JsonPatch, PatchOperation } from '../../kube/json-patch.ts'
import { inlineText } from '../../kube/yaml-text.ts'

/** What a patch on an object asks a person to do, one line each: `write spec.mtls.mode: STRICT`, `remove spec.tls`. */
export function fixLines(object: Json, fix: JsonPatch): readonly string[] {
  return fix.flatMap((operation) => {
    const line = fixLine(object, operation)
    return line === undefined ? [] : [line]
  })
}

function fixLine(object: Json, operation: PatchOperation): string | undefined {
  const field = formatPath(fromPointer(object, operation.path))
  switch (operation.op) {
    case 'remove':
      return `remove ${field}`
    case 'add':
    case 'replace':
      return `write ${field}: ${inlineText(operation.value)}`
    case 'test':
      return undefined
  }
}
