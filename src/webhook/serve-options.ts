import { Option, type Command } from 'commander'

import type { Enforcement } from '../policy/policy-set.ts'
import { addClusterOptions, type ClusterOptions } from './cluster/cluster-options.ts'
import { addMeshOptions, type MeshOptions } from './mesh-options.ts'
import { append, duration, PROFILE_OPTION, wholeNumber } from './option-values.ts'

/** How a server is asked for on a command line. */
export interface ServeOptions extends ClusterOptions, MeshOptions {
  readonly host: string
  readonly port: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsName: readonly string[]
  readonly writeCa?: string
  readonly policies: readonly string[]
  readonly bindings: readonly string[]
  readonly profile: readonly string[]
  readonly profileFile?: string
  readonly disable: readonly string[]
  readonly disabledFile?: string
  readonly crds: readonly string[]
  readonly strictTypes?: boolean
  readonly enforcement: Enforcement
  readonly enforcementFile?: string
  readonly logLevel: string
  /** Milliseconds. */
  readonly shutdownDelay: number
  readonly maxInFlight: number
}

/** Gives a command the options of a server; `npm start` and `meshward serve` have the same. */
export function addServeOptions(command: Command): Command {
  const own = command
    .option('--host <address>', 'address to listen on; the dry run answers on loopback addresses only', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 = any that is free', wholeNumber(65_535), 8443)
    .option('--tls-cert <file>', 'PEM certificate chain, read again when it changes; with --tls-key')
    .option('--tls-key <file>', 'PEM private key of --tls-cert; without both the server makes a certificate itself')
    .option('--tls-name <name>', 'one more DNS name or address in a self-made certificate (repeatable)', append, [])
    .option('--write-ca <file>', 'write the CA of the self-made certificate there, for caBundle or curl --cacert')
    .option(
      '--policies <path>',
      'folder or file of policies, beside the shipped ones or instead of them by name or code (repeatable)',
      append,
      [],
    )
    .option('--bindings <file>', 'YAML stream of MeshPolicyBinding (repeatable)', append, [])
    .option(...PROFILE_OPTION)
    .option('--profile-file <file>', 'a file of profiles, one a line; followed as it changes')
    .option(
      '--disable <policies>',
      'leave policies out, by name, code or pattern such as "EGR-*": not compiled, not asked about, nothing read for them (repeatable)',
      append,
      [],
    )
    .option('--disabled-file <file>', 'a file of such names, one a line; followed as it changes')
    .option(
      '--crds <path>',
      'CRDs, or documents of /openapi/v3, that say which fields policies may name; beside what a cluster says (repeatable)',
      append,
      [],
    )
    .option('--strict-types', 'policies that name fields which their kinds do not have are refused')
    .addOption(
      new Option('--enforcement <mode>', 'the most that the whole installation may do')
        .choices(['enforce', 'warn', 'off'])
        .default('enforce'),
    )
    .option(
      '--enforcement-file <file>',
      'a file that holds the mode; followed as it changes, and stronger than --enforcement',
    )
    .addOption(
      new Option('--log-level <level>', 'least level to log')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .option(
      '--shutdown-delay <duration>',
      'on SIGTERM, how long to go on answering while clients leave',
      duration,
      3000,
    )
    .option('--max-in-flight <number>', 'requests under way at once; more get HTTP 503', wholeNumber(100_000), 512)
  return addMeshOptions(addClusterOptions(own))
}
