import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

import { asObject, type JsonObject } from '../../kube/json.ts'
import { readCertificate, type Certificate } from '../certificate.ts'
import type { Authority } from '../authority.ts'

/** What the Secret of an installation holds: only what is usable of it. */
export interface CertificateBundle {
  /** The authorities that clients are to trust, PEM, the newest first. */
  readonly authorities: readonly string[]
  /** The newest authority with its key; undefined where the key is missing or another's. */
  readonly signer: Authority | undefined
  /** What every replica serves; undefined where certificate and key are no pair. */
  readonly leaf: Certificate | undefined
}

/** The keys of the Secret's `data`; those of the leaf are what `kubernetes.io/tls` calls them. */
const KEYS = { authorities: 'ca.crt', authorityKey: 'ca.key', leaf: 'tls.crt', leafKey: 'tls.key' } as const

/** Reads a Secret. Never throws; what cannot be used counts as missing. */
export function readBundle(secret: JsonObject | undefined): CertificateBundle {
  const data = asObject(secret?.data)
  const value = (key: string): Buffer => {
    const text = data[key]
    return Buffer.from(typeof text === 'string' ? text : '', 'base64')
  }
  const authorities = splitPem(value(KEYS.authorities).toString('utf8'))
  const pair = readCertificate(value(KEYS.leaf), value(KEYS.leafKey))
  return {
    authorities,
    signer: readSigner(authorities[0], value(KEYS.authorityKey).toString('utf8')),
    leaf: pair.ok ? pair.certificate : undefined,
  }
}

/** The `data` of a Secret that holds this. */
export function bundleData(authorities: readonly string[], signer: Authority, leaf: Certificate): JsonObject {
  const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
  return {
    [KEYS.authorities]: base64(authorities.join('')),
    [KEYS.authorityKey]: base64(signer.key),
    [KEYS.leaf]: base64(leaf.cert),
    [KEYS.leafKey]: base64(leaf.key),
  }
}

/** Did this authority sign that certificate? */
export function issued(authority: string, { cert }: Certificate): boolean {
  const [leaf, issuer] = [new X509Certificate(cert), new X509Certificate(authority)]
  return leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)
}

/** The end of an authority's validity, in milliseconds since the epoch. */
export function endOf(authority: string): number {
  return new X509Certificate(authority).validToDate.getTime()
}

/** Is the certificate good for each of these names and addresses? */
export function covers({ cert }: Certificate, names: readonly string[]): boolean {
  const leaf = new X509Certificate(cert)
  return names.every((name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) !== undefined)
}

function readSigner(cert: string | undefined, key: string): Authority | undefined {
  if (cert === undefined) return undefined
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)) ? { cert, key } : undefined
  } catch {
    return undefined
  }
}

function splitPem(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.filter(isCertificate).map((block) => `${block}\n`)
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca
  } catch {
    return false
  }
}
