// Builds programs of test clusters ahead of their use, in every version that is tested, and prints their paths:
//   node tools/cluster/build.ts [etcd] [kube-apiserver] [kubectl] [kube-controller-manager] [helm]
import { provideBinary } from './binaries.ts'
import { programs, testedVersions } from './programs.ts'

const asked = process.argv.slice(2)
const unknown = asked.find((name) => programs.every((program) => program !== name))
if (unknown !== undefined) {
  process.stderr.write(`"${unknown}" is none of ${programs.join(', ')}\n`)
  process.exit(2)
}
// Versions differ in part of the programs only: there is one etcd for all.
const paths = new Set<string>()
for (const versions of testedVersions) {
  for (const program of programs) {
    if (asked.length === 0 || asked.includes(program)) paths.add(await provideBinary(program, { versions }))
  }
}
process.stdout.write([...paths].map((path) => `${path}\n`).join(''))
