import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'

import { scoreAmbientOracle, scoreGatewayOracle } from './gateways-ambient.ts'
import { scoreIstioctlAnalyze } from './istioctl-analyze.ts'
import { formatScore, type Score } from './score.ts'
import { scoreSidecarOracle } from './sidecar-oracle.ts'

/** What scores a corpus, by the name of its folder. */
const SCORERS: Readonly<Record<string, readonly ((folder: string) => Score)[]>> = {
  'istiod-oracle': [scoreSidecarOracle, scoreGatewayOracle, scoreAmbientOracle],
  'istioctl-analyze': [scoreIstioctlAnalyze],
}

interface Corpus {
  readonly kind: string
  readonly folder: string
}

/** The corpora at a path: that folder, whatever its name if it holds meshes, or the folders in it. */
function corporaAt(path: string): readonly Corpus[] {
  const name = basename(path)
  if (Object.hasOwn(SCORERS, name)) return [{ kind: name, folder: path }]
  if (existsSync(join(path, 'meshes'))) return [{ kind: 'istiod-oracle', folder: path }]
  return Object.keys(SCORERS)
    .map((kind) => ({ kind, folder: join(path, kind) }))
    .filter(({ folder }) => existsSync(folder))
}

const [path, ...options] = process.argv.slice(2)
const shown = options.includes('--all') ? Infinity : options.includes('--quiet') ? 0 : 3
const corpora = path === undefined ? [] : corporaAt(path)
if (corpora.length === 0) {
  console.error('usage: npm run conformance -- PATH [--all | --quiet]   PATH: a corpus folder, or a folder of them')
  process.exitCode = 2
}
for (const { kind, folder } of corpora) {
  for (const score of SCORERS[kind] ?? []) {
    const result = score(folder)
    for (const line of formatScore(result, shown)) console.log(line)
    if (result.differences.some(({ reason }) => reason === undefined)) process.exitCode = 1
  }
}
