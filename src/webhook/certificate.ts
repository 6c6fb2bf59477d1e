import { X509Certificate, createPrivateKey } from 'node:crypto'

/** What a TLS server serves: PEM, the leaf first. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
  readonly expires: Date
}

/** Where the certificate comes from and how it changes. */
export interface CertificateSource {
  /** The last good one. */
  current(): Certificate
  /** Calls back with each new one, until what is returned is called. */
  watch(changed: (certificate: Certificate) => void): () => void
}

export type CertificateOutcome =
  | { readonly ok: true; readonly certificate: Certificate }
  | { readonly ok: false; readonly reason: string }

/** A certificate and its key from PEM, if they are a pair that can be served. Never throws. */
export function readCertificate(cert: Buffer, key: Buffer): CertificateOutcome {
  try {
    const leaf = new X509Certificate(cert)
    if (!leaf.checkPrivateKey(createPrivateKey(key)))
      return { ok: false, reason: 'the private key does not belong to the certificate' }
    return { ok: true, certificate: { cert, key, expires: leaf.validToDate } }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, reason: `not a PEM certificate with its PEM private key (${reason})` }
  }
}
