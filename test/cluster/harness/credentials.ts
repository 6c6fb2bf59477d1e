import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the parts of a control plane have to know of each other. All values are paths except the token. */
export interface Credentials {
  /** Bearer token of `admin`, a member of system:masters. */
  readonly adminToken: string
  readonly tokenFile: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
}

/** Makes fresh keys and tokens in a folder. */
export function createCredentials(folder: string): Credentials {
  const adminToken = randomBytes(24).toString('hex')
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  return {
    adminToken,
    tokenFile: write(folder, 'tokens.csv', `${adminToken},admin,admin,"system:masters"\n`),
    serviceAccountKey: write(folder, 'service-account.key', keys.privateKey),
    serviceAccountPublicKey: write(folder, 'service-account.pub', keys.publicKey),
  }
}

function write(folder: string, name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content, { mode: 0o600 })
  return path
}
