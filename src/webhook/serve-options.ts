import { InvalidArgumentError, Option, type Command } from 'commander'

import type { Enforcement } from '../policy/policy-set.ts'

/** How a server is asked for on a command line. */
export interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsName: readonly string[]
  readonly writeCa?: string
  readonly policies: readonly string[]
  readonly bindings: readonly string[]
  readonly enforcement: Enforcement
  readonly enforcementFile?: string
  readonly logLevel: string
  /** Milliseconds. */
  readonly shutdownDelay: number
  readonly maxInFlight: number
}

/** Gives a command the options of a server; `npm start` and `meshward serve` have the same. */
export function addServeOptions(command: Command): Command {
  return command
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
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value <= most) return value
    throw new InvalidArgumentError(`Write a whole number from 0 to ${most}.`)
  }
}

function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Write a duration such as 500ms, 3s or 1m.')
  return Number(match[1]) * (match[2] === 'ms' ? 1 : match[2] === 'm' ? 60_000 : 1000)
}
