import type { RequestHandler } from 'express'
import { BlockList, isIPv6 } from 'node:net'

import type { HttpProblem } from './http-problem.ts'
import { refuse } from './refuse.ts'

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** Lets requests pass only on a listener of a loopback address: what asks nobody who they are. */
export function loopbackOnly(listensOn: () => string): RequestHandler {
  return (request, response, next) => {
    const address = listensOn()
    if (isLoopback(address)) return next()
    refuse(request, response, loopbackProblem(address))
  }
}

/** What to do instead of a dry run on a server that would have to answer everybody. */
export function loopbackProblem(address: string): HttpProblem {
  return {
    status: 403,
    message:
      `the dry run asks nobody who they are, so it answers on loopback addresses only, and this server listens on ${address}. ` +
      'Run `meshward check`, or a server of your own, on your machine.',
  }
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')
LOOPBACK.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')
