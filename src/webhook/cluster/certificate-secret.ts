import { asObject, type JsonObject } from '../../kube/json.ts'
import { makeAuthority, makeLeaf, type Authority } from '../authority.ts'
import type { Certificate } from '../certificate.ts'
import { bundleData, endOf, readBundle, type CertificateBundle } from './certificate-bundle.ts'
import { createOwned, readObject, replaceObject, type Owner } from './kept-objects.ts'
import { nextStep, type RotationFacts, type RotationStep } from './rotation.ts'

export interface CertificateSecretOptions {
  readonly owner: Owner
  readonly namespace: string
  readonly name: string
  /** Names and addresses that a leaf is good for. */
  readonly names: readonly string[]
  /** Milliseconds, as the two below. */
  readonly caValidity: number
  readonly leafValidity: number
  readonly rotateBefore: number
}

/** The Secret as it was read. */
export interface ReadSecret {
  readonly bundle: CertificateBundle
  /** Undefined where there is none. */
  readonly object: JsonObject | undefined
}

/** Reads the Secret that all replicas serve from. Rejects where the API server does not answer. */
export async function readCertificateSecret({ owner, namespace, name }: CertificateSecretOptions): Promise<ReadSecret> {
  const object = await readObject(owner.api, `${secretsOf(namespace)}/${name}`)
  return { bundle: readBundle(object), object }
}

/** Takes the next step of the rotation, which only the leader may. Returns it, `none` where somebody was faster. */
export async function rotate(
  options: CertificateSecretOptions,
  { bundle, object }: ReadSecret,
  facts: Pick<RotationFacts, 'now' | 'announced' | 'served'>,
): Promise<RotationStep['kind']> {
  const step = nextStep(bundle, { ...facts, names: options.names, rotateBefore: options.rotateBefore })
  if (step.kind === 'none') return step.kind
  const data = await dataAfter(step, options, facts.now)
  return (await write(options, object, data)) ? step.kind : 'none'
}

async function dataAfter(
  step: Exclude<RotationStep, { readonly kind: 'none' }>,
  { caValidity, leafValidity, names }: CertificateSecretOptions,
  now: number,
): Promise<JsonObject> {
  const newSigner = (): Promise<Authority> => makeAuthority('Meshward CA', caValidity)
  // A leaf that outlives its authority is no longer verified.
  const leafOf = (authority: Authority): Promise<Certificate> =>
    makeLeaf(authority, { names, lifetime: Math.min(leafValidity, endOf(authority.cert) - now) })
  switch (step.kind) {
    case 'begin': {
      const signer = await newSigner()
      return bundleData([signer.cert], signer, await leafOf(signer))
    }
    case 'add-authority': {
      const signer = await newSigner()
      return bundleData([signer.cert, ...step.authorities], signer, step.leaf ?? (await leafOf(signer)))
    }
    case 'make-leaf':
      return bundleData(step.authorities, step.signer, await leafOf(step.signer))
    case 'drop-authorities':
      return bundleData([step.signer.cert], step.signer, step.leaf)
  }
}

async function write(
  { owner, namespace, name }: CertificateSecretOptions,
  object: JsonObject | undefined,
  data: JsonObject,
): Promise<boolean> {
  if (object !== undefined)
    return replaceObject(owner.api, `${secretsOf(namespace)}/${name}`, {
      ...object,
      data: { ...asObject(object.data), ...data },
    })
  const made = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name, namespace }, data }
  return createOwned(owner, secretsOf(namespace), made)
}

function secretsOf(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`
}
