import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'

import { scoreAmbientOracle, scoreGatewayOracle } from './gateways-ambient.ts'
import { formatScore, type Score } from './score.ts'
import { scoreSidecarOracle } from './sidecar-oracle.ts'

/** The corpora that can be scored, by the name of their folder. */
const SCORERS: Readonly<Record<string, readonly ((folder: string) => Score)[]>> = {
  'istiod-oracle': [scoreSidecarOracle, scoreGatewayOracle, scoreAmbientOracle],
}

const [path, ...options] = process.argv.slice(2)
const shown = options.includes('--all') ? Infinity : options.includes('--quiet') ? 0 : 3
if (path === undefined || !existsSync(path)) {
  console.error('usage: npm run conformance -- PATH [--all | --quiet]   PATH: a corpus folder, or a folder of them')
  process.exitCode = 2
} else {
  const own = SCORERS[basename(path)]
  const folders = own === undefined ? Object.keys(SCORERS).map((name) => join(path, name)) : [path]
  for (const folder of folders.filter((candidate) => existsSync(candidate))) {
    for (const score of SCORERS[basename(folder)] ?? []) {
      const result = score(folder)
      for (const line of formatScore(result, shown)) console.log(line)
      if (result.differences.length > 0) process.exitCode = 1
    }
  }
}
