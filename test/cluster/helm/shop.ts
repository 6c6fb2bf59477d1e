import { asList, asObject, type JsonObject } from '../../../src/kube/json.ts'
import type { Sample } from './admission-load.ts'

// VirtualServices of the namespace `shop`, and a policy about one of them.

const virtualService = (name: string, http: object): Omit<Sample, 'wrong'> => ({
  collection: '/apis/networking.istio.io/v1/namespaces/shop/virtualservices',
  object: {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name },
    spec: { hosts: [name], http: [{ route: [{ destination: { host: name } }], ...http }] },
  },
})

/** Accepted, and only because the timeout is filled that it lacks. */
export const good: Sample = {
  ...virtualService('good', {}),
  wrong: ({ status, message, body }) => {
    const [route] = asList(asObject(body.spec).http)
    if (status !== 201) return `good: ${status} ${message}`
    return asObject(route).timeout === '15s' ? undefined : `good: accepted as ${JSON.stringify(body.spec)}`
  },
}

/** Refused for its nine retries. */
export const bad: Sample = {
  ...virtualService('bad', { retries: { attempts: 9, perTryTimeout: '1s' } }),
  wrong: ({ status, message }) =>
    status === 403 && message.includes('RES-02 ') ? undefined : `bad: ${status} ${message}`,
}

/** What the policy below is about. */
export const marked = virtualService('marked', {})

/** A policy of one's own, which warns of one object with a message: by that one sees which policies are in force. */
export const marking = (message: string): JsonObject => ({
  apiVersion: 'meshward.io/v1alpha1',
  kind: 'MeshPolicy',
  metadata: { name: 'own' },
  spec: {
    code: 'OWN-01',
    title: 'Nothing bears the name of the test',
    category: 'routing',
    severity: 'warning',
    description: 'Shows which policies are in force.',
    remediation: 'choose another name',
    failurePolicy: 'Ignore',
    validationActions: ['Warn'],
    matchConstraints: {
      resourceRules: [
        {
          apiGroups: ['networking.istio.io'],
          apiVersions: ['*'],
          resources: ['virtualservices'],
          operations: ['CREATE'],
        },
      ],
    },
    validations: [{ expression: "object.metadata.name != 'marked'", field: 'metadata.name', message }],
  },
})
