import { makeAuthority, makeLeaf } from './authority.ts'
import type { CertificateSource } from './certificate.ts'

const DAY = 24 * 60 * 60 * 1000
const CA_LIFETIME = 3650 * DAY
const LEAF_LIFETIME = 365 * DAY
/** A leaf is replaced this long before it ends. */
const RENEWAL = 120 * DAY
/** How often the time is compared; a laptop may sleep for days. */
const LOOK = DAY / 4

export interface SelfMadeOptions {
  /** Host names and addresses that clients will use. */
  readonly names: readonly string[]
  /** Why a new leaf could not be made; the old one is served on. */
  readonly problem: (reason: string) => void
}

export interface SelfMadeCertificate {
  readonly source: CertificateSource
  /** PEM of the CA that signs every leaf of this process: for `caBundle`, or `curl --cacert`. */
  readonly ca: string
}

/** A CA that lives as long as the process and a leaf for these names and addresses, renewed before it ends. */
export async function makeCertificate({ names, problem }: SelfMadeOptions): Promise<SelfMadeCertificate> {
  const authority = await makeAuthority('Meshward self-made CA', CA_LIFETIME)
  const leaf = { names, lifetime: LEAF_LIFETIME }
  let current = await makeLeaf(authority, leaf)
  return {
    ca: authority.cert,
    source: {
      current: () => current,
      watch: (changed) => {
        const renew = async (): Promise<void> => {
          if (current.expires.getTime() - Date.now() > RENEWAL) return
          current = await makeLeaf(authority, leaf)
          changed(current)
        }
        const look = (): void => void renew().catch((error: unknown) => problem(String(error)))
        const timer = setInterval(look, LOOK).unref()
        return () => clearInterval(timer)
      },
    },
  }
}
