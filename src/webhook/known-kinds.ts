import type { Logger } from 'pino'

import type { KindSchema } from '../kube/kind-schema.ts'
import type { ClusterConnection } from '../sources/cluster/connect-cluster.ts'
import { readClusterSchemas } from '../sources/cluster/cluster-schemas.ts'
import type { InputError } from '../sources/input-error.ts'
import { readPolicyGroups } from '../sources/policy-files.ts'
import { readSchemaFiles } from '../sources/schema-files.ts'
import type { ServeOptions } from './serve-options.ts'

export type KnownKindsOutcome =
  | { readonly ok: true; readonly schemas: readonly KindSchema[] }
  | { readonly ok: false; readonly reasons: readonly string[] }

/**
 * The schemas by which a server checks the fields that policies name: those of `--crds`, then those that the cluster
 * has of the groups that the policies are about. A cluster that cannot be asked is a reason not to serve under
 * `--strict-types`; otherwise it is logged, and its kinds are not checked.
 */
export async function readKnownKinds(
  options: Pick<ServeOptions, 'crds' | 'policies' | 'strictTypes'>,
  { connection, shippedPolicies, logger }: Surroundings,
): Promise<KnownKindsOutcome> {
  const { schemas, errors } = readSchemaFiles(options.crds, NO_INPUT)
  if (errors.length > 0) return { ok: false, reasons: errors.map(errorLine) }
  if (connection === undefined) return { ok: true, schemas }
  try {
    const groups = readPolicyGroups([shippedPolicies, ...options.policies])
    const served = await readClusterSchemas(connection.api, groups)
    const given = new Set(schemas.map(nameOf))
    return { ok: true, schemas: [...schemas, ...served.filter((schema) => !given.has(nameOf(schema)))] }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (options.strictTypes === true) return { ok: false, reasons: [`--strict-types: ${reason}`] }
    logger.warn({ reason }, 'schemas of the cluster cannot be read; fields in policies are not checked by them')
    return { ok: true, schemas }
  }
}

interface Surroundings {
  readonly connection: Pick<ClusterConnection, 'api'> | undefined
  readonly shippedPolicies: string
  readonly logger: Logger
}

/** A server has no standard input, so `-` is an empty file to it. */
const NO_INPUT = { read: () => new Uint8Array() }

function nameOf({ group, version, resource }: KindSchema): string {
  return `${group}/${version}/${resource}`
}

function errorLine({ file, line, column, code, message }: InputError): string {
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`
  return `${place}: ${code}: ${message}`
}
