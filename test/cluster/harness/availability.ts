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

/** Says why tests are skipped. Throws under `CI=true`, where none may be. */
export function skipUnlessInCi(tests: string, reason: string): void {
  if (process.env['CI'] === 'true') throw new Error(`${tests} must not be skipped in CI: ${reason}`)
  process.stderr.write(`meshward: ${tests} are skipped: ${reason}\n`)
}
