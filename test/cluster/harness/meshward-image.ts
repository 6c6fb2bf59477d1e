import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

import type { Image } from './kubelet/image.ts'

const root = join(import.meta.dirname, '../../..')

/** The image that the Dockerfile makes, of the files that `npm run build` makes; this puts them into a folder. */
export function buildMeshwardImage(folder: string): Image {
  execFileSync(process.execPath, ['tools/build.ts', folder], { cwd: root, stdio: 'pipe' })
  const node = '/nodejs/bin/node'
  return {
    files: { [node]: process.execPath, '/app': folder },
    entrypoint: [node, '/app/lib/main.js'],
    command: ['--host', '0.0.0.0'],
    environment: {
      NODE_ENV: 'production',
      NODE_OPTIONS: '--max-semi-space-size=4',
      PATH: '/nodejs/bin:/usr/bin:/bin',
    },
    workingDirectory: '/app',
    user: 65_532,
  }
}
