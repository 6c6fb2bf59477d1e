// @peculiar/x509 needs this to be loaded before it.
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'

import type { Certificate } from './certificate.ts'

/** Clocks of clients may be behind ours. */
const BACKDATED = 60 * 60 * 1000

const KEY = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' }

/** A certificate authority of our own: PEM. */
export interface Authority {
  readonly cert: string
  readonly key: string
}

/** Makes an authority that is valid for `lifetime` milliseconds. ECDSA P-256: cheap to serve, taken by every client. */
export async function makeAuthority(commonName: string, lifetime: number): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: SIGNATURE,
    ...validity(lifetime),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: `${certificate.toString('pem')}\n`, key: await keyPem(keys.privateKey) }
}

export interface LeafOptions {
  /** Host names and addresses that clients will use. */
  readonly names: readonly string[]
  /** Milliseconds. */
  readonly lifetime: number
}

/** Makes a server certificate under an authority. Rejects where the authority's PEM is none. */
export async function makeLeaf(authority: Authority, { names, lifetime }: LeafOptions): Promise<Certificate> {
  const issuer = new X509Certificate(authority.cert)
  const signingKey = await crypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(authority.key), KEY, false, [
    'sign',
  ])
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const { notBefore, notAfter } = validity(lifetime)
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=meshward',
    issuer: issuer.subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  const key = await keyPem(keys.privateKey)
  return { cert: Buffer.from(`${certificate.toString('pem')}\n`), key: Buffer.from(key), expires: notAfter }
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

function validity(lifetime: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - BACKDATED), notAfter: new Date(now + lifetime) }
}
