import { Router, type Request, type RequestHandler } from 'express'
import { Session } from 'node:inspector/promises'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapSnapshot } from 'node:v8'

import { failed, type Outcome } from './http-problem.ts'
import { isLoopback } from './loopback.ts'
import { refuse } from './refuse.ts'

/** Seconds of a CPU profile: a minute is about 20 MB. */
const LONGEST = 60
const USUAL = 10

/**
 * `/debug/heap` and `/debug/cpu?seconds=N`, in the formats that browsers' developer tools open. Both show what the
 * process holds, so they answer only those who come from this machine: `kubectl port-forward` does. One at a time; a
 * snapshot stops the process while it is taken, a profile slows it down a little.
 */
export function createDebug(): RequestHandler {
  let busy = false
  const alone =
    (handler: RequestHandler): RequestHandler =>
    async (request, response, next) => {
      const { remoteAddress = '' } = request.socket
      if (!isLoopback(remoteAddress)) return refuse(request, response, ELSEWHERE.problem)
      if (busy) return refuse(request, response, BUSY.problem)
      busy = true
      try {
        await handler(request, response, next)
      } finally {
        busy = false
      }
    }
  return Router().get('/heap', alone(heap)).get('/cpu', alone(cpu))
}

const ELSEWHERE = failed(
  403,
  'this is answered on this machine only. Come by `kubectl port-forward` or from inside the pod.',
)

const BUSY = failed(503, 'another profile is being taken. Try again when it is done.')

const heap: RequestHandler = async (_, response) => {
  response.attachment('meshward.heapsnapshot').type('json')
  // Who leaves in the middle is no error of ours.
  await pipeline(getHeapSnapshot(), response).catch(() => undefined)
}

const cpu: RequestHandler = async (request, response) => {
  const seconds = readSeconds(request)
  if (!seconds.ok) return refuse(request, response, seconds.problem)
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await sleep(seconds.value * 1000)
    const { profile } = await session.post('Profiler.stop')
    response.attachment('meshward.cpuprofile').type('json').send(JSON.stringify(profile))
  } finally {
    session.disconnect()
  }
}

function readSeconds({ url }: Request): Outcome<number> {
  const text = new URL(url, 'https://localhost').searchParams.get('seconds') ?? String(USUAL)
  const value = /^\d+$/.test(text) ? Number(text) : 0
  return value >= 1 && value <= LONGEST
    ? { ok: true, value }
    : failed(400, `the query parameter seconds is "${text}". Write a whole number from 1 to ${LONGEST}.`)
}
