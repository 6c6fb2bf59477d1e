import type { Authority } from '../authority.ts'
import type { Certificate } from '../certificate.ts'
import { covers, endOf, issued, type CertificateBundle } from './certificate-bundle.ts'

/** What the next step depends on beside the Secret itself. */
export interface RotationFacts {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How long before its end anything is replaced, in milliseconds. */
  readonly rotateBefore: number
  /** Names and addresses that the leaf must be good for. */
  readonly names: readonly string[]
  /** Every API server trusts all authorities of the Secret. */
  readonly announced: boolean
  /** Every replica serves a leaf that the newest authority alone verifies. */
  readonly served: boolean
}

export type RotationStep =
  /** All is well, or the last step has not arrived everywhere. */
  | { readonly kind: 'none' }
  /** An authority and a leaf of it: there is nothing that anybody could trust. */
  | { readonly kind: 'begin' }
  /** A new authority beside these, whose leaf is served on; where there is none to serve, one of the new authority. */
  | { readonly kind: 'add-authority'; readonly authorities: readonly string[]; readonly leaf: Certificate | undefined }
  /** A new leaf of the newest of these authorities. */
  | { readonly kind: 'make-leaf'; readonly authorities: readonly string[]; readonly signer: Authority }
  /** Only the newest authority stays. */
  | { readonly kind: 'drop-authorities'; readonly signer: Authority; readonly leaf: Certificate }

/**
 * The next step of keeping certificates good, from what the Secret holds: it is all the memory there is, so another
 * leader goes on where the last one stopped. Between any two steps each leaf that is served is verified by each bundle
 * that is trusted, as long as `announced` and `served` are true only when they are.
 */
export function nextStep({ authorities, signer, leaf }: CertificateBundle, facts: RotationFacts): RotationStep {
  const [newest] = authorities
  const ends = (time: number): boolean => time - facts.now < facts.rotateBefore
  if (newest === undefined) return { kind: 'begin' }
  if (signer === undefined || ends(endOf(newest))) {
    const valid = authorities.filter((authority) => endOf(authority) > facts.now)
    return { kind: 'add-authority', authorities: valid, leaf }
  }
  // Nobody can verify it as it is, so nothing is lost by being early.
  if (leaf === undefined || !authorities.some((authority) => issued(authority, leaf)))
    return { kind: 'make-leaf', authorities, signer }
  if (!issued(newest, leaf)) return facts.announced ? { kind: 'make-leaf', authorities, signer } : { kind: 'none' }
  if (ends(leaf.expires.getTime()) || !covers(leaf, facts.names)) return { kind: 'make-leaf', authorities, signer }
  return authorities.length > 1 && facts.served ? { kind: 'drop-authorities', signer, leaf } : { kind: 'none' }
}
