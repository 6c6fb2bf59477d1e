// Stands in for the docker that a CI service provides: `docker run` of the image of this repository runs its command line
// in the mounted folder. Everything else is refused, as by a docker that has nothing else.
import { spawnSync } from 'node:child_process'
import { join, posix } from 'node:path'
import { Command } from 'commander'

import manifest from '../../package.json' with { type: 'json' }

const IMAGE = `ghcr.io/meshward/meshward:${manifest.version}`

interface RunOptions {
  readonly volume?: string
  readonly workdir?: string
  readonly entrypoint?: string
}

/** The folder of this machine that a container sees at its work directory. */
function mountedFolder({ volume = '', workdir = '' }: RunOptions): string {
  const [host, inside] = volume.split(':')
  if (host === undefined || inside === undefined || !posix.isAbsolute(host)) refuse(`"${volume}" is no mount`)
  const below = posix.relative(inside, workdir)
  if (below.startsWith('..')) refuse(`the work directory "${workdir}" is not in the mount`)
  return join(host, below)
}

/** As docker does where it cannot start a container. */
function refuse(message: string): never {
  process.stderr.write(`docker: ${message}\n`)
  process.exit(125)
}

const docker = new Command('docker').enablePositionalOptions()
docker
  .command('run')
  .option('--rm')
  .option('-u, --user <uid:gid>')
  .option('-v, --volume <mount>')
  .option('--workdir <path>')
  .option('--entrypoint <program>')
  .argument('<image>')
  .argument('[args...]')
  .passThroughOptions()
  .action((image: string, args: readonly string[], options: RunOptions) => {
    if (image !== IMAGE) refuse(`there is no image ${image}, only ${IMAGE}`)
    if (options.entrypoint !== 'meshward') refuse(`"${options.entrypoint}" is not in the image`)
    const program = join(import.meta.dirname, '../../src/cli/main.ts')
    const { status } = spawnSync(process.execPath, [program, ...args], {
      cwd: mountedFolder(options),
      stdio: 'inherit',
    })
    process.exitCode = status ?? 125
  })
docker.parse()
