import type { Certificate, CertificateSource } from '../certificate.ts'

/** A certificate that somebody else replaces. */
export interface ChangingCertificate extends CertificateSource {
  /** From now on this one is served. */
  replace(certificate: Certificate): void
}

export function createChangingCertificate(first: Certificate): ChangingCertificate {
  let current = first
  const listeners = new Set<(certificate: Certificate) => void>()
  return {
    current: () => current,
    watch: (changed) => {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    replace: (certificate) => {
      current = certificate
      for (const changed of listeners) changed(certificate)
    },
  }
}
