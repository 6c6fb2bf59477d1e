import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { asObject } from '../../../src/kube/json.ts'
import type { Cluster } from './cluster.ts'
import { kubectlOutput } from './kubectl.ts'

/** A service account that may list and watch everything, but of Istio's networking only these. */
export const readerRole = (networking: readonly string[]) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules:
  - { apiGroups: ["", admissionregistration.k8s.io, apps, batch, security.istio.io], resources: ["*"], verbs: [list, watch] }
  - { apiGroups: [networking.istio.io], resources: [${networking.map((name) => `"${name}"`).join(', ')}], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: reader }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader }
subjects: [{ kind: ServiceAccount, name: reader, namespace: default }]
`

/** The path of a kubeconfig whose user is a service account of the namespace `default`. */
export async function kubeconfigOf(cluster: Cluster, account: string): Promise<string> {
  const token = await kubectlOutput(cluster.kubectl, ['create', 'token', account, '-n', 'default'])
  const shown: unknown = JSON.parse(await kubectlOutput(cluster.kubectl, ['config', 'view', '--raw', '-o', 'json']))
  const path = join(cluster.files.folder, `kubeconfig.${account}`)
  writeFileSync(path, JSON.stringify({ ...asObject(shown), users: [{ name: 'admin', user: { token: token.trim() } }] }))
  return path
}
