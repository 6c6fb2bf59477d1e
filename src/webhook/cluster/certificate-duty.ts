import type { ReadinessCheck } from '../health.ts'
import { endOf, issued } from './certificate-bundle.ts'
import { readCertificateSecret, rotate, type CertificateSecretOptions, type ReadSecret } from './certificate-secret.ts'
import type { ChangingCertificate } from './changing-certificate.ts'
import { isVerifiable, type Endpoint } from './endpoints.ts'
import { trustedBundles } from './repair-webhooks.ts'
import type { RotationStep } from './rotation.ts'

/** Milliseconds until every API server follows a configuration that one of them has stored; a watch takes far less. */
const SETTLE = 3000

export interface CertificateDutyOptions extends CertificateSecretOptions {
  readonly served: ChangingCertificate
  /** Everywhere a client may be led to. */
  readonly endpoints: () => Promise<readonly Endpoint[]>
  readonly stepped: (step: RotationStep['kind']) => void
}

/** What a replica does about the certificates in the Secret. */
export interface CertificateDuty {
  /** Reads the Secret and serves from it. Rejects where it cannot be read. */
  readonly follow: () => Promise<void>
  /** Takes the next step of the rotation, as the leader. To be called after `follow`. */
  readonly lead: () => Promise<void>
  /** PEM of everything that clients are to trust; undefined before there is a Secret. */
  caBundle(): string | undefined
  /** When the newest authority ends, in milliseconds since the epoch. */
  authorityEnd(): number | undefined
  readonly check: ReadinessCheck
}

export function createCertificateDuty(options: CertificateDutyOptions): CertificateDuty {
  const { owner, served, names } = options
  let secret: ReadSecret | undefined
  let trusted: { readonly bundle: string; readonly since: number } | undefined

  const caBundle = (): string | undefined => {
    const authorities = secret?.bundle.authorities ?? []
    return authorities.length === 0 ? undefined : authorities.join('')
  }

  /** Does every API server trust everything in the Secret? */
  const isAnnounced = async (bundle: string): Promise<boolean> => {
    const wanted = Buffer.from(bundle).toString('base64')
    const bundles = await trustedBundles(owner)
    if (bundles.length !== 1 || bundles[0] !== wanted) trusted = undefined
    else if (trusted?.bundle !== bundle) trusted = { bundle, since: performance.now() }
    return trusted !== undefined && performance.now() - trusted.since >= SETTLE
  }

  /** Does every replica serve what the newest authority verifies? One that does not answer may serve the old leaf. */
  const isServed = async (authority: string): Promise<boolean> => {
    const [name = ''] = names
    const endpoints = await options.endpoints()
    const verified = await Promise.all(endpoints.map((endpoint) => isVerifiable(endpoint, name, authority)))
    return verified.length > 0 && verified.every(Boolean)
  }

  return {
    follow: async () => {
      secret = await readCertificateSecret(options)
      const { leaf } = secret.bundle
      if (leaf !== undefined && !leaf.cert.equals(served.current().cert)) served.replace(leaf)
    },
    lead: async () => {
      if (secret === undefined) return
      const { authorities } = secret.bundle
      const [newest] = authorities
      const rotating = newest !== undefined && (authorities.length > 1 || !issued(newest, served.current()))
      const facts = {
        now: Date.now(),
        announced: rotating && (await isAnnounced(authorities.join(''))),
        served: rotating && (await isServed(newest)),
      }
      const step = await rotate(options, secret, facts)
      if (step === 'none') return
      options.stepped(step)
      secret = await readCertificateSecret(options)
      const { leaf } = secret.bundle
      if (leaf !== undefined) served.replace(leaf)
    },
    caBundle,
    authorityEnd: () => {
      const [newest] = secret?.bundle.authorities ?? []
      return newest === undefined ? undefined : endOf(newest)
    },
    check: {
      name: 'certificate',
      reason: () => {
        const authorities = secret?.bundle.authorities ?? []
        if (authorities.length === 0) return 'there is none in the Secret yet'
        return authorities.some((authority) => issued(authority, served.current()))
          ? undefined
          : 'what is served is not of an authority in the Secret'
      },
    },
  }
}
