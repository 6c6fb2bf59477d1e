// Builds programs of test clusters ahead of their use, in every version that is tested, and prints their paths:
//   node tools/cluster/build.ts [--where-possible] [etcd] [kube-apiserver] [kubectl] [kube-controller-manager] [helm]
// Where there is nothing to build with, --where-possible says so and leaves it at that: tests that need them are then skipped.
import { provideBinary, whyNoBinaries } from './binaries.ts'
import { programs, testedVersions } from './programs.ts'

const WHERE_POSSIBLE = '--where-possible'
const words = process.argv.slice(2)
const asked = words.filter((word) => word !== WHERE_POSSIBLE)
const unknown = asked.find((name) => programs.every((program) => program !== name))
if (unknown !== undefined) {
  process.stderr.write(`"${unknown}" is none of ${programs.join(', ')}\n`)
  process.exit(2)
}
const obstacle = words.includes(WHERE_POSSIBLE) ? whyNoBinaries() : undefined
if (obstacle !== undefined) {
  process.stderr.write(`meshward: nothing is built: ${obstacle}\n`)
  process.exit(0)
}
// Versions differ in part of the programs only: there is one etcd for all.
const paths = new Set<string>()
for (const versions of testedVersions) {
  for (const program of programs) {
    if (asked.length === 0 || asked.includes(program)) paths.add(await provideBinary(program, { versions }))
  }
}
process.stdout.write([...paths].map((path) => `${path}\n`).join(''))
