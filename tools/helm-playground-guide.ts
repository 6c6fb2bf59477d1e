import type { HelmPlayground } from './start-helm-playground.ts'

const NAMESPACE = '-n meshward-system'
const upgrade = (value: string): string =>
  `helm upgrade meshward charts/meshward ${NAMESPACE} --reset-then-reuse-values --set ${value}`

/** What to try, in this order, and what happens. */
const commands: readonly (readonly [command: string, happens: string])[] = [
  [`kubectl get pods,leases ${NAMESPACE}`, 'two replicas answer; who holds the lease leads'],
  ['kubectl get validatingwebhookconfiguration meshward -o yaml', 'the leader has filled in what the policies need'],
  ['kubectl apply -f examples/permissive-peer-authentication.yaml', 'Refused: accepts plaintext (MTLS-02)'],
  ['kubectl apply -f examples/virtual-service-without-timeout.yaml', 'Completed: a timeout of 15s (RES-01)'],
  [upgrade('enforcement=warn'), 'in force within seconds, without a restart'],
  ['kubectl apply -f examples/permissive-peer-authentication.yaml', 'Warned: accepts plaintext (MTLS-02)'],
  ['npm run --silent meshward -- check --cluster', 'Found: what would be refused is there already (MTLS-02)'],
  [upgrade('enforcement=enforce'), 'back again'],
  [`kubectl rollout restart deployment/meshward ${NAMESPACE}`, 'no apply fails meanwhile'],
  [`kubectl rollout status deployment/meshward ${NAMESPACE}`, ''],
  [`kubectl delete pods --all ${NAMESPACE}`, 'everything else goes on; Meshward comes back by itself'],
  [`kubectl rollout status deployment/meshward ${NAMESPACE}`, ''],
  [`kubectl logs deployment/meshward ${NAMESPACE} --tail=5`, 'JSON, with decision ids and no object bodies'],
  [`helm test meshward ${NAMESPACE}`, ''],
  [`helm uninstall meshward ${NAMESPACE}`, 'nothing is left behind'],
]

/** What a person reads when the chart is installed. */
export function helmPlaygroundGuide({ site, programs, notes, enforcedAfter }: HelmPlayground): string {
  const { kubeconfig, files } = site.cluster
  const width = Math.max(...commands.map(([command]) => command.length))
  const lines = commands.map(([command, happens]) =>
    happens === '' ? `  ${command}` : `  ${command.padEnd(width)}  # ${happens}`,
  )
  return `
${notes.trim()}

A Kubernetes cluster with the CRDs of Istio and Gateway API is running, with the chart installed on its two nodes: a plaintext
PeerAuthentication was refused ${enforcedAfter.toFixed(0)} s after the command. Pods are processes of this machine, in a network of their own. In another
terminal, in this folder:

  export KUBECONFIG=${kubeconfig}
  export PATH=${programs.join(':')}:$PATH

Then try:

${lines.join('\n')}

The log of every program and pod is in ${files.folder}. Ctrl-C ends everything and removes every file of it.
`
}
