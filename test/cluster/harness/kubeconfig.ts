import { writeFileSync } from 'node:fs'

export interface KubeconfigOptions {
  readonly server: string
  /** Path of the certificates that the server is verified against. */
  readonly authority: string
  /** A name that the server's certificate carries, where that is not the address in `server`. */
  readonly serverName?: string
  readonly token: string
}

/** Writes a kubeconfig file with one cluster and one user, and returns its path. JSON is YAML too. */
export function writeKubeconfig(path: string, { server, authority, serverName, token }: KubeconfigOptions): string {
  const cluster = {
    server,
    'certificate-authority': authority,
    ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
  }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'meshward', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'meshward', context: { cluster: 'meshward', user: 'admin', namespace: 'default' } }],
    'current-context': 'meshward',
  }
  writeFileSync(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
  return path
}
