/** What the API server calls a kind in URLs and admission requests, and whether its objects live in namespaces. */
export interface ResourceName {
  readonly resource: string
  readonly scope: 'Namespaced' | 'Cluster'
}

/**
 * The resource of a kind: by the table of kinds that a mesh is made of, else the lower-case plural as `kubectl` forms
 * it. A CustomResourceDefinition says it for its own kind; whoever has one asks it first.
 */
export function resourceOf(group: string, kind: string): ResourceName {
  return KNOWN.get(`${group}/${kind}`) ?? { resource: plural(kind.toLowerCase()), scope: 'Namespaced' }
}

// Source: k8s.io/apimachinery `pkg/api/meta/restmapper.go`, UnsafeGuessKindToResource.
function plural(singular: string): string {
  if (singular === '' || singular === 'endpoints') return singular
  if (singular.endsWith('s')) return `${singular}es`
  if (singular.endsWith('y')) return `${singular.slice(0, -1)}ies`
  return `${singular}s`
}

const CLUSTER: Readonly<Record<string, readonly string[]>> = {
  '': ['Namespace/namespaces', 'Node/nodes', 'PersistentVolume/persistentvolumes'],
  'rbac.authorization.k8s.io': ['ClusterRole/clusterroles', 'ClusterRoleBinding/clusterrolebindings'],
  'apiextensions.k8s.io': ['CustomResourceDefinition/customresourcedefinitions'],
  'gateway.networking.k8s.io': ['GatewayClass/gatewayclasses'],
  'admissionregistration.k8s.io': [
    'ValidatingWebhookConfiguration/validatingwebhookconfigurations',
    'MutatingWebhookConfiguration/mutatingwebhookconfigurations',
    'ValidatingAdmissionPolicy/validatingadmissionpolicies',
    'ValidatingAdmissionPolicyBinding/validatingadmissionpolicybindings',
    'MutatingAdmissionPolicy/mutatingadmissionpolicies',
    'MutatingAdmissionPolicyBinding/mutatingadmissionpolicybindings',
  ],
  'storage.k8s.io': ['StorageClass/storageclasses'],
  'networking.k8s.io': ['IngressClass/ingressclasses'],
  'scheduling.k8s.io': ['PriorityClass/priorityclasses'],
}

const NAMESPACED: Readonly<Record<string, readonly string[]>> = {
  'gateway.networking.k8s.io': ['BackendTLSPolicy/backendtlspolicies', 'Gateway/gateways'],
  'networking.istio.io': [
    'Gateway/gateways',
    'ServiceEntry/serviceentries',
    'WorkloadEntry/workloadentries',
    'ProxyConfig/proxyconfigs',
  ],
  'security.istio.io': ['AuthorizationPolicy/authorizationpolicies'],
  'telemetry.istio.io': ['Telemetry/telemetries'],
  'networking.k8s.io': ['NetworkPolicy/networkpolicies', 'Ingress/ingresses'],
}

const KNOWN: ReadonlyMap<string, ResourceName> = new Map([
  ...entries(CLUSTER, 'Cluster'),
  ...entries(NAMESPACED, 'Namespaced'),
])

function* entries(
  table: Readonly<Record<string, readonly string[]>>,
  scope: ResourceName['scope'],
): Iterable<[string, ResourceName]> {
  for (const [group, kinds] of Object.entries(table)) {
    for (const pair of kinds) {
      const [kind = '', resource = ''] = pair.split('/')
      yield [`${group}/${kind}`, { resource, scope }]
    }
  }
}
