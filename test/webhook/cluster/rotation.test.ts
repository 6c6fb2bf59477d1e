import { beforeAll, describe, expect, test } from 'vitest'

import { makeAuthority, makeLeaf, type Authority } from '../../../src/webhook/authority.ts'
import type { Certificate } from '../../../src/webhook/certificate.ts'
import { bundleData, readBundle, type CertificateBundle } from '../../../src/webhook/cluster/certificate-bundle.ts'
import { nextStep, type RotationFacts } from '../../../src/webhook/cluster/rotation.ts'

const HOUR = 60 * 60 * 1000
const NAMES = ['meshward.meshward-system.svc']

let older: Authority
let newer: Authority
let oldLeaf: Certificate
let newLeaf: Certificate
let now: number

beforeAll(async () => {
  older = await makeAuthority('Meshward CA', 100 * HOUR)
  newer = await makeAuthority('Meshward CA', 100 * HOUR)
  oldLeaf = await makeLeaf(older, { names: NAMES, lifetime: 50 * HOUR })
  newLeaf = await makeLeaf(newer, { names: NAMES, lifetime: 50 * HOUR })
  now = Date.now()
})

const secret = (authorities: readonly Authority[], signer: Authority, leaf: Certificate): CertificateBundle =>
  readBundle({
    data: bundleData(
      authorities.map(({ cert }) => cert),
      signer,
      leaf,
    ),
  })

const step = (bundle: CertificateBundle, facts: Partial<RotationFacts> = {}) =>
  nextStep(bundle, { now, rotateBefore: 10 * HOUR, names: NAMES, announced: true, served: true, ...facts })

describe('the next step of a rotation', () => {
  test.each([
    ['there is no Secret', undefined],
    ['the Secret is empty, as the chart makes it', {}],
    ['its authorities are no certificates', { 'ca.crt': Buffer.from('soon').toString('base64') }],
  ])('begins where %s', (_, data) => {
    expect(step(readBundle(data === undefined ? undefined : { data }))).toEqual({ kind: 'begin' })
  })

  test('is none while all is well', () => {
    expect(step(secret([newer], newer, newLeaf), { announced: false, served: false })).toEqual({ kind: 'none' })
  })

  test('is a leaf of the same authority when the leaf is about to end, and not before', () => {
    const bundle = secret([newer], newer, newLeaf)
    expect(step(bundle, { now: now + 39 * HOUR })).toEqual({ kind: 'none' })
    expect(step(bundle, { now: now + 41 * HOUR })).toEqual({
      kind: 'make-leaf',
      authorities: [newer.cert],
      signer: newer,
    })
  })

  test('is a leaf when the Service has another name', () => {
    expect(step(secret([newer], newer, newLeaf), { names: [...NAMES, 'other.ns.svc'] }).kind).toBe('make-leaf')
  })

  test('is an authority beside the old one when that is about to end; its leaf is served on', () => {
    expect(step(secret([older], older, oldLeaf), { now: now + 91 * HOUR })).toEqual({
      kind: 'add-authority',
      authorities: [older.cert],
      leaf: expect.objectContaining({ cert: oldLeaf.cert }),
    })
  })

  test('leaves out an authority that has ended', () => {
    const bundle = secret([older], older, oldLeaf)
    expect(step(bundle, { now: now + 101 * HOUR })).toMatchObject({ kind: 'add-authority', authorities: [] })
  })

  test('keeps the old leaf until the new authority is trusted everywhere', () => {
    const bundle = secret([newer, older], newer, oldLeaf)
    expect(step(bundle, { announced: false })).toEqual({ kind: 'none' })
    expect(step(bundle).kind).toBe('make-leaf')
  })

  test('keeps the old authority until every replica serves the new leaf', () => {
    const bundle = secret([newer, older], newer, newLeaf)
    expect(step(bundle, { served: false })).toEqual({ kind: 'none' })
    expect(step(bundle)).toEqual({
      kind: 'drop-authorities',
      signer: newer,
      leaf: expect.objectContaining({ cert: newLeaf.cert }),
    })
  })

  test('mends a key that belongs to another certificate', () => {
    const swapped = secret([newer], newer, { ...newLeaf, key: oldLeaf.key })
    expect(swapped.leaf).toBeUndefined()
    expect(step(swapped, { announced: false }).kind).toBe('make-leaf')
  })

  test('mends an authority without its key by another, beside it', () => {
    expect(step(secret([newer], older, newLeaf)).kind).toBe('add-authority')
  })

  test('replaces a leaf that no authority of the Secret has signed at once', () => {
    expect(step(secret([newer], newer, oldLeaf), { announced: false }).kind).toBe('make-leaf')
  })
})
