import type { ClusterAccess } from '../harness/cluster-access.ts'
import { kubectlOutput } from '../harness/kubectl.ts'

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'subjects.random.example.com' },
  spec: {
    group: 'random.example.com',
    scope: 'Namespaced',
    names: { kind: 'Subject', plural: 'subjects', singular: 'subject' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

/** Where they are created. */
export const SUBJECTS_PATH = '/apis/random.example.com/v1/namespaces/default/subjects'

/** Has the cluster know objects of any shape, which no schema prunes: `Subject` of `random.example.com/v1`. */
export async function installSubjects(cluster: ClusterAccess): Promise<void> {
  await kubectlOutput(cluster.kubectl, ['apply', '-f', '-'], { stdin: JSON.stringify(DEFINITION) })
  await kubectlOutput(cluster.kubectl, ['wait', '--for=condition=Established', `crd/${DEFINITION.metadata.name}`])
}
