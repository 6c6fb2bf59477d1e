export interface GateLimits {
  /** Requests whose answers are under way. */
  readonly requests: number
  /** Bytes of their bodies that are held in memory. */
  readonly bytes: number
}

/** A request that was let in. */
export interface Ticket {
  /** Asks for memory for more of the body; false when there is none left. */
  grow(bytes: number): boolean
  /** Gives everything back. Calling it again does nothing. */
  leave(): void
}

/** Bounds what is under way at once, so that a burst costs its own callers an answer and not the process its memory. */
export interface AdmissionGate {
  /** Undefined when the house is full: answer 503 at once. */
  enter(): Ticket | undefined
  inFlight(): { readonly requests: number; readonly bytes: number }
}

export function createGate(limits: GateLimits): AdmissionGate {
  let requests = 0
  let bytes = 0
  return {
    enter() {
      if (requests >= limits.requests) return undefined
      requests += 1
      let held = 0
      let inside = true
      return {
        grow(more) {
          if (bytes + more > limits.bytes) return false
          bytes += more
          held += more
          return true
        },
        leave() {
          if (!inside) return
          inside = false
          requests -= 1
          bytes -= held
        },
      }
    },
    inFlight: () => ({ requests, bytes }),
  }
}
