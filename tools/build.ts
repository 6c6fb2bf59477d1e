import { build } from 'esbuild'
import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import manifest from '../package.json' with { type: 'json' }

/*
 * Makes `dist`, or the folder that is named, which needs nothing but Node: the server and the command line, each one file,
 * and beside them what they read at run time, in the places where they look for it in the sources too.
 *
 *   dist/lib/main.js        the server
 *   dist/lib/cli/main.js    the command line, which can be run as it is
 *   dist/policies           the policies that ship
 */
const root = join(import.meta.dirname, '..')
const dist = resolve(process.argv[2] ?? join(root, 'dist'))

// Libraries written for CommonJS ask for Node's own modules by `require`, which an ES module does not have.
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

await rm(dist, { recursive: true, force: true })
await mkdir(dist)
const { metafile } = await build({
  entryPoints: ['src/main.ts', 'src/cli/main.ts'],
  absWorkingDir: root,
  outbase: 'src',
  outdir: join(dist, 'lib'),
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: REQUIRE },
  // Names stay, so that a stack trace can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'external',
  metafile: true,
})
await chmod(join(dist, 'lib/cli/main.js'), 0o755)
await cp(join(root, 'policies'), join(dist, 'policies'), { recursive: true })
await mkdir(join(dist, 'lib/webhook'))
await cp(join(root, 'src/webhook/dry-run-page.html'), join(dist, 'lib/webhook/dry-run-page.html'))
await cp(join(root, 'LICENSE'), join(dist, 'LICENSE'))
const { name, version, license, type } = manifest
const bin = { meshward: 'lib/cli/main.js', 'meshward-server': 'lib/main.js' }
await writeFile(join(dist, 'package.json'), `${JSON.stringify({ name, version, license, type, bin }, undefined, 2)}\n`)
for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
  if (file.endsWith('.js')) console.log(`${file}  ${(bytes / 1024).toFixed(0)} KiB`)
}
