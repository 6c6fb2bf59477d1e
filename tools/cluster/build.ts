// Builds programs of a test cluster ahead of their use and prints their paths:
//   node tools/cluster/build.ts [etcd] [kube-apiserver] [kubectl] [kube-controller-manager] [helm]
import { provideBinary } from './binaries.ts'
import { programs } from './programs.ts'

const asked = process.argv.slice(2)
const unknown = asked.find((name) => programs.every((program) => program !== name))
if (unknown !== undefined) {
  process.stderr.write(`"${unknown}" is none of ${programs.join(', ')}\n`)
  process.exit(2)
}
for (const program of programs) {
  if (asked.length === 0 || asked.includes(program)) process.stdout.write(`${await provideBinary(program)}\n`)
}
