import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The link by which the kubelet swaps all files of a mounted ConfigMap or Secret at once. */
const MOUNTED = '..data'

/**
 * The files that a path stands for, in order of name: a file is itself; of a mounted ConfigMap the YAML files, whose
 * names are its keys; of any other folder the files called `fileName` in it and below, or every YAML file where none is asked
 * for. Throws where the path cannot be read.
 */
export function filesBelow(path: string, fileName?: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path]
  const names = readdirSync(path, { encoding: 'utf8' })
  const wanted = names.includes(MOUNTED)
    ? names.filter((name) => !name.startsWith('..') && YAML.test(name))
    : readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
        fileName === undefined ? YAML.test(name) : name === fileName || name.endsWith(`/${fileName}`),
      )
  return wanted.sort().map((name) => join(path, name))
}

const YAML = /\.ya?ml$/
