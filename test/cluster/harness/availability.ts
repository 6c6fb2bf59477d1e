import { whyNoBinaries } from '../../../tools/cluster/binaries.ts'
import { crdFile } from './crds.ts'

/** Why no test cluster can be started on this machine, as a sentence; nothing when one can. */
export async function whyNoCluster(): Promise<string | undefined> {
  const reason = whyNoBinaries()
  if (reason !== undefined) return reason
  try {
    await Promise.all([crdFile('istio'), crdFile('gateway-api')])
    return undefined
  } catch (error) {
    return `the CRDs of Istio and Gateway API cannot be had: ${error instanceof Error ? error.message : String(error)}`
  }
}
