import { setTimeout as sleep } from 'node:timers/promises'

import type { Watch } from '@kubernetes/client-node'

import { asObject, type Json } from '../../kube/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { KindName } from '../../mesh/kinds.ts'
import type { ApiClient } from './api-client.ts'
import { listPages, reasonOf } from './list-pages.ts'
import { locateResource, type ResourceLocation } from './resource-location.ts'
import { trimObject } from './trim-object.ts'

/** What is known of one kind in the cluster. */
export interface KindStatus {
  readonly kind: KindName
  /**
   * `listing` until a whole list came; `absent`: the API server does not serve the kind; `forbidden`: it has never let us
   * list it, and is asked again and again.
   */
  readonly state: 'listing' | 'synced' | 'absent' | 'forbidden'
  /** When the API server was last heard of this kind, in milliseconds of the clock `now`; -Infinity = never. */
  readonly lastContact: number
  /** Why the last attempt failed; empty while all is well. */
  readonly trouble: string
  /** Lists and watches that failed so far. */
  readonly failures: number
  /** Objects and events that were left out so far: damaged ones, and those that are older than what is known. */
  readonly leftOut: number
}

/** Receives what happens to a kind, in order. */
export interface KindListener {
  /** The whole of the kind, after a list. Nothing else is delivered until it resolves: to how many it left out. */
  readonly replaced: (objects: readonly KubeObject[]) => Promise<number>
  /** False where it leaves the event out. */
  readonly changed: (object: KubeObject) => boolean
  readonly removed: (object: KubeObject) => boolean
  readonly status: (status: KindStatus) => void
}

export interface WatchKindOptions {
  readonly api: ApiClient
  readonly watch: Watch
  readonly kind: KindName
  /** Only its objects in this namespace; those of all when left out. */
  readonly namespace?: string
  readonly listener: KindListener
  readonly signal: AbortSignal
  /** Milliseconds of a clock that never jumps. */
  readonly now: () => number
  /** The first pause after a failure in milliseconds; it doubles, with jitter, up to thirty times that, as in client-go. */
  readonly pause: number
  /** 0 ≤ n < 1, for jitter. */
  readonly random: () => number
}

type WatchEnd =
  /** The version to resume from is too old, or the kind is no longer served: start over. */
  | { readonly kind: 'expired' }
  /** The stream ended, as it does every few minutes: go on from where it was. */
  | { readonly kind: 'ended'; readonly resourceVersion: string }
  | { readonly kind: 'failed'; readonly resourceVersion: string; readonly reason: string }

/**
 * Keeps one kind in step with the API server until the signal aborts: lists it in pages, watches from there, resumes
 * when a watch ends, lists again when the version is too old, starts over with growing pauses when anything fails, and
 * waits for a CRD that is not installed. Never rejects.
 */
export async function watchKind(options: WatchKindOptions): Promise<void> {
  const keeper = new KindKeeper(options)
  while (!options.signal.aborted) await keeper.round()
}

class KindKeeper {
  private readonly options: WatchKindOptions
  private status: KindStatus
  /** Failures in a row. */
  private failures = 0

  constructor(options: WatchKindOptions) {
    this.options = options
    this.status = unknownKind(options.kind)
  }

  /** One life: from a list until something makes another list necessary. */
  async round(): Promise<void> {
    try {
      const location = await locateResource(this.options.api, this.options.kind, this.options.namespace)
      if (location === undefined) return await this.absent()
      let resourceVersion = await this.list(location)
      for (;;) {
        const started = this.options.now()
        const end = await this.follow(location, resourceVersion)
        if (this.options.signal.aborted || end.kind === 'expired') return
        if (end.kind === 'failed') await this.failed(end.reason)
        // A server that ends every watch at once must not be asked in a tight loop.
        else if (this.options.now() - started < this.options.pause) await this.wait(this.options.pause)
        resourceVersion = end.resourceVersion
      }
    } catch (error) {
      const { message, cause } = error instanceof Error ? error : new Error(String(error))
      if (cause === 403 && this.status.state === 'listing') this.report({ state: 'forbidden', trouble: message })
      await this.failed(message)
    }
  }

  private async list(location: ResourceLocation): Promise<string> {
    const asked = this.options.now()
    const objects: KubeObject[] = []
    let damaged = 0
    let resourceVersion = ''
    for await (const page of listPages(this.options.api, location.path, this.options.signal)) {
      for (const item of page.items) {
        const object = trimObject(item, location.kind, location.apiVersion)
        if (object === undefined) damaged += 1
        else objects.push(object)
      }
      resourceVersion = page.resourceVersion
    }
    const older = await this.options.listener.replaced(objects)
    this.failures = 0
    const leftOut = this.status.leftOut + damaged + older
    this.report({ state: 'synced', lastContact: asked, trouble: '', leftOut })
    return resourceVersion
  }

  private follow(location: ResourceLocation, from: string): Promise<WatchEnd> {
    const { watch, signal } = this.options
    return new Promise((resolve) => {
      let resourceVersion = from
      let end: WatchEnd | undefined
      let isOver = false
      let abort = (): void => undefined
      const query = {
        resourceVersion,
        allowWatchBookmarks: true,
        timeoutSeconds: 300 + Math.floor(this.options.random() * 300),
      }
      const started = watch.watch(
        location.path,
        query,
        (type: string, value: Json) => {
          if (type === 'ERROR') end = endByError(value, resourceVersion)
          else resourceVersion = this.receive(type, value, location) || resourceVersion
        },
        (error: unknown) => {
          isOver = true
          signal.removeEventListener('abort', abort)
          resolve(end ?? endOf(error, resourceVersion))
        },
      )
      void started.then((controller) => {
        if (isOver) return
        this.heard()
        abort = () => controller.abort()
        signal.addEventListener('abort', abort, { once: true })
        if (signal.aborted) abort()
      })
    })
  }

  /** Delivers one event. The version to resume from after it, empty where it carries none. Never throws. */
  private receive(type: string, value: Json, location: ResourceLocation): string {
    const isTaken = type === 'BOOKMARK' || this.deliver(type, value, location)
    this.heard(isTaken ? 0 : 1)
    const { resourceVersion } = asObject(asObject(value).metadata)
    return typeof resourceVersion === 'string' ? resourceVersion : ''
  }

  private deliver(type: string, value: Json, { kind, apiVersion }: ResourceLocation): boolean {
    const object = trimObject(value, kind, apiVersion)
    if (object === undefined) return false
    const { changed, removed } = this.options.listener
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        return changed(object)
      case 'DELETED':
        return removed(object)
      default:
        return false
    }
  }

  private async absent(): Promise<void> {
    if (this.status.state !== 'absent') await this.options.listener.replaced([])
    this.report({ state: 'absent', lastContact: this.options.now(), trouble: '' })
    this.failures = 0
    await this.wait(this.options.pause * 10)
  }

  private async failed(reason: string): Promise<void> {
    if (this.options.signal.aborted) return
    this.failures += 1
    this.report({ trouble: reason, failures: this.status.failures + 1 })
    await this.wait(this.options.pause * Math.min(2 ** (this.failures - 1), 30))
  }

  private async wait(milliseconds: number): Promise<void> {
    const jittered = milliseconds * (0.5 + this.options.random())
    await sleep(jittered, undefined, { signal: this.options.signal, ref: false }).catch(() => undefined)
  }

  /**
   * A watch was taken up where the last one ended, or an event came: what is known is what the API server has. Bookmarks
   * alone would not tell: of a kind that has never changed there are none (kube: cacher.go).
   */
  private heard(leftOut = 0): void {
    this.failures = 0
    this.report({ lastContact: this.options.now(), trouble: '', leftOut: this.status.leftOut + leftOut })
  }

  private report(change: Partial<KindStatus>): void {
    this.status = { ...this.status, ...change }
    this.options.listener.status(this.status)
  }
}

/** A kind of which nothing was heard yet. */
export function unknownKind(kind: KindName): KindStatus {
  return { kind, state: 'listing', lastContact: Number.NEGATIVE_INFINITY, trouble: '', failures: 0, leftOut: 0 }
}

function endOf(error: unknown, resourceVersion: string): WatchEnd {
  if (error === null || error === undefined) return { kind: 'ended', resourceVersion }
  const status = typeof error === 'object' && 'statusCode' in error ? error.statusCode : undefined
  if (status === 410 || status === 404) return { kind: 'expired' }
  // No byte for 30 s: nothing happened, or the connection is dead. Resumed, the watch tells which.
  if (error instanceof Error && error.name === 'TimeoutError') return { kind: 'ended', resourceVersion }
  return { kind: 'failed', resourceVersion, reason: error instanceof Error ? error.message : 'the watch failed' }
}

/** An ERROR event carries a Status. */
function endByError(status: Json, resourceVersion: string): WatchEnd {
  return asObject(status).code === 410
    ? { kind: 'expired' }
    : { kind: 'failed', resourceVersion, reason: reasonOf(status) }
}
