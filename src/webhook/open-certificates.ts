import { writeFile } from 'node:fs/promises'

import type { Logger } from 'pino'

import type { CertificateSource } from './certificate.ts'
import { openCertificateFiles } from './certificate-files.ts'
import type { ServeOptions } from './serve-options.ts'

/** Milliseconds between two looks at the files. */
const LOOK = 1000

export type OpenCertificatesOutcome =
  /** `ca`: PEM of the authority of a certificate that we made ourselves. */
  | { readonly ok: true; readonly certificates: CertificateSource; readonly ca: string | undefined }
  | { readonly ok: false; readonly reason: string }

/** What a server serves to begin with: the files that it is given, or a certificate that it makes itself. */
export async function openCertificates(
  { tlsCert, tlsKey, tlsName, writeCa, host }: ServeOptions,
  logger: Logger,
): Promise<OpenCertificatesOutcome> {
  const problem = (reason: string): void =>
    logger.error({ reason }, 'new certificate cannot be used; the last good one is served on')
  if (tlsCert !== undefined && tlsKey !== undefined) {
    const opened = await openCertificateFiles({ certFile: tlsCert, keyFile: tlsKey, interval: LOOK, problem })
    return opened.ok ? { ok: true, certificates: opened.source, ca: undefined } : opened
  }
  if (tlsCert !== undefined || tlsKey !== undefined)
    return {
      ok: false,
      reason: '--tls-cert and --tls-key belong together: give both, or none for a self-made certificate.',
    }
  // Its library takes 80 ms to load, which a server with a certificate of its own need not spend.
  const { makeCertificate } = await import('./self-made-certificate.ts')
  const names = [...new Set(['localhost', '127.0.0.1', '::1', host, ...tlsName])]
  const { source, ca } = await makeCertificate({ names, problem })
  try {
    if (writeCa !== undefined) await writeFile(writeCa, ca)
  } catch (error) {
    return { ok: false, reason: `--write-ca: ${error instanceof Error ? error.message : String(error)}` }
  }
  return { ok: true, certificates: source, ca }
}
