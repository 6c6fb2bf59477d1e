export interface Mount {
  /** A file or folder of this machine. */
  readonly source: string
  /** Its absolute path in the container. */
  readonly target: string
  readonly readOnly: boolean
}

export interface MountScriptOptions {
  /** An empty folder, which becomes the container's root in its own mount namespace. */
  readonly root: string
  readonly mounts: readonly Mount[]
  readonly hostname: string
  readonly user: number
  readonly readOnlyRoot: boolean
  /** A file that appears when all is mounted. */
  readonly doneFile: string
}

const systemFolders = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/usr']
const systemFiles = ['/etc/ssl', '/etc/ld.so.cache', '/etc/nsswitch.conf']
const devices = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom']

/**
 * A shell script that makes a container's root and then becomes the command in its arguments. To be run in a mount
 * namespace of its own: the system's folders are read-only, nothing else of the machine is there but the mounts.
 */
export function mountScript(options: MountScriptOptions): string {
  const { root, mounts, hostname, user, readOnlyRoot, doneFile } = options
  const inside = (path: string): string => quote(`${root}${path}`)
  const byDepth = mounts.toSorted((a, b) => a.target.length - b.target.length)
  return [
    'set -e',
    `mount -t tmpfs -o mode=0755 tmpfs ${quote(root)}`,
    `cd ${quote(root)}`,
    'mkdir dev etc proc run tmp var && chmod 1777 tmp && ln -s ../run var/run',
    ...systemFolders.map(
      (path) =>
        `if [ -h ${path} ]; then cp -P ${path} .${path}; elif [ -d ${path} ]; then ${bind(path, inside(path))}; fi`,
    ),
    ...[...systemFiles, ...devices].map((path) => `if [ -e ${path} ]; then ${bind(path, inside(path))}; fi`),
    `mount --rbind /proc ${inside('/proc')}`,
    'ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/0 dev/stdin; ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr',
    `echo ${quote(`root:x:0:0:root:/:/bin/sh\nuser:x:${user}:${user}:user:/:/bin/sh`)} > etc/passwd`,
    `echo ${quote(hostname)} > etc/hostname`,
    ...byDepth.map(({ source, target, readOnly }) => bind(quote(source), inside(target), readOnly ? 'ro' : 'rw')),
    ...(readOnlyRoot ? [`mount -o remount,ro ${quote(root)}`] : []),
    'cd /',
    `: > ${quote(doneFile)}`,
    'exec "$@"',
    '',
  ].join('\n')
}

/** Shell commands that mount `source` at `target`, whichever of file and folder it is. Both are quoted already. */
function bind(source: string, target: string, access: 'ro' | 'rw' = 'ro'): string {
  const file = `[ -e ${target} ] || { mkdir -p "$(dirname ${target})" && touch ${target}; }`
  const place = `if [ -d ${source} ]; then mkdir -p ${target}; else ${file}; fi`
  const mount = `mount --bind ${source} ${target}`
  return [place, mount, ...(access === 'ro' ? [`mount -o remount,bind,ro ${target}`] : [])].join(' && ')
}

/** One word of a shell command. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
