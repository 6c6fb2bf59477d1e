import { readFile } from 'node:fs/promises'

import { watchFiles } from '../sources/watch-files.ts'
import { readCertificate, type Certificate, type CertificateSource } from './certificate.ts'

export interface CertificateFilesOptions {
  readonly certFile: string
  readonly keyFile: string
  /** Milliseconds between two looks at the files. */
  readonly interval: number
  /** What is wrong with files that changed; the last good pair is served on. */
  readonly problem: (reason: string) => void
}

export type CertificateFilesOutcome =
  | { readonly ok: true; readonly source: CertificateSource }
  | { readonly ok: false; readonly reason: string }

/** A certificate from files, as cert-manager and Secrets mount them. Not ok where there is no good pair to begin with. */
export async function openCertificateFiles(options: CertificateFilesOptions): Promise<CertificateFilesOutcome> {
  const { certFile, keyFile } = options
  // One after the other, so that of two that are missing it is always the same one that is told.
  const read = async (): Promise<readonly Buffer[]> => [await readFile(certFile), await readFile(keyFile)]
  try {
    const contents = await read()
    const first = pairOf(contents)
    if (!first.ok) return { ok: false, reason: `${certFile}, ${keyFile}: ${first.reason}` }
    return { ok: true, source: createSource(first.certificate, contents, { ...options, read }) }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

function createSource(
  first: Certificate,
  contents: readonly Buffer[],
  options: CertificateFilesOptions & { readonly read: () => Promise<readonly Buffer[]> },
): CertificateSource {
  let current = first
  return {
    current: () => current,
    watch: (changed) =>
      watchFiles(contents, {
        read: options.read,
        interval: options.interval,
        failed: options.problem,
        changed: (next) => {
          const pair = pairOf(next)
          if (!pair.ok) return options.problem(pair.reason)
          current = pair.certificate
          changed(current)
        },
      }),
  }
}

function pairOf([cert, key]: readonly Buffer[]): ReturnType<typeof readCertificate> {
  return cert === undefined || key === undefined ? { ok: false, reason: 'missing' } : readCertificate(cert, key)
}
