// @peculiar/x509 needs this to be loaded before it.
import 'reflect-metadata'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  AuthorityKeyIdentifierExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509'
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'

import type { Certificate, CertificateSource } from './certificate.ts'

const DAY = 24 * 60 * 60 * 1000
const CA_LIFETIME = 3650 * DAY
const LEAF_LIFETIME = 365 * DAY
/** A leaf is replaced this long before it ends. */
const RENEWAL = 120 * DAY
/** How often the time is compared; a laptop may sleep for days. */
const LOOK = DAY / 4
/** Clocks of clients may be behind ours. */
const BACKDATED = DAY / 24

const KEY = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' }

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

/**
 * A CA that lives as long as the process and a leaf for these names and addresses, renewed before it ends. ECDSA
 * P-256, the cheapest to serve of what every client takes.
 */
export async function makeCertificate({ names, problem }: SelfMadeOptions): Promise<SelfMadeCertificate> {
  const authority = await makeAuthority()
  let current = await makeLeaf(authority, names)
  return {
    ca: authority.certificate.toString('pem'),
    source: {
      current: () => current,
      watch: (changed) => {
        const renew = async (): Promise<void> => {
          if (current.expires.getTime() - Date.now() > RENEWAL) return
          current = await makeLeaf(authority, names)
          changed(current)
        }
        const look = (): void => void renew().catch((error: unknown) => problem(String(error)))
        const timer = setInterval(look, LOOK).unref()
        return () => clearInterval(timer)
      },
    },
  }
}

interface Authority {
  readonly certificate: X509Certificate
  readonly keys: webcrypto.CryptoKeyPair
}

async function makeAuthority(): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(KEY, false, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Meshward self-made CA',
    keys,
    signingAlgorithm: SIGNATURE,
    ...validity(CA_LIFETIME),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, keys }
}

async function makeLeaf(authority: Authority, names: readonly string[]): Promise<Certificate> {
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
  const { notBefore, notAfter } = validity(LEAF_LIFETIME)
  const certificate = await X509CertificateGenerator.create({
    subject: 'CN=meshward',
    issuer: authority.certificate.subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: Buffer.from(certificate.toString('pem')), key: Buffer.from(key), expires: notAfter }
}

function validity(lifetime: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - BACKDATED), notAfter: new Date(now + lifetime) }
}
