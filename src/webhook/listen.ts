import type { AddressInfo, Server } from 'node:net'

export interface ListenOptions {
  readonly host: string
  /** 0 = any that is free. */
  readonly port: number
}

/** Resolves with the address once a server listens; rejects where it cannot. */
export function listen(server: Server, { host, port }: ListenOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('a listening TCP server has an address'))
      else resolve(address)
    })
  })
}
