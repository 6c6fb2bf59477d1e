import { MessageValue } from '../message-value.ts'
import { sizeCost, type Library } from './library.ts'

/**
 * What MutatingAdmissionPolicies build patches with: objects, and keys as they stand in paths.
 * Source: k8s.io/apiserver `pkg/cel/library/jsonpatch.go`.
 */
export const mutationLibrary: Library = {
  register(environment, runtime) {
    environment.registerType('kubernetes.Object', { ctor: MessageValue })
    environment.registerType('namespace.jsonpatch', { ctor: JsonPatchNamespace })
    environment.registerConstant('jsonpatch', 'namespace.jsonpatch', new JsonPatchNamespace())
    environment.registerFunction(
      'namespace.jsonpatch.escapeKey(string): string',
      (_: unknown, key: string) => {
        runtime.charge(sizeCost(key.length))
        return key.replaceAll('~', '~0').replaceAll('/', '~1')
      },
      { async: false },
    )
  },
}

/** What the name `jsonpatch` stands for; it has nothing but functions. */
class JsonPatchNamespace {
  readonly functionsOnly = true
}
