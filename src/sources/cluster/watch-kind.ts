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
  /** `listing` until a whole list came; `absent`: the API server does not serve the kind. */
  readonly state: 'listing' | 'synced' | 'absent'
  /** Milliseconds since the epoch at which the API server was last heard of this kind; 0 = never. */
  readonly lastContact: number
  /** Why the last attempt failed; empty while all is well. */
  readonly trouble: string
}

/** Receives what happens to a kind, in order. */
export interface KindListener {
  /** The whole of the kind, after a list. Nothing else is delivered until it resolves. */
  readonly replaced: (objects: readonly KubeObject[]) => Promise<void>
  readonly changed: (object: KubeObject) => void
  readonly removed: (object: KubeObject) => void
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
  readonly now: () => number
  /** The first pause after a failure in milliseconds; it doubles, with jitter, up to sixty times that. */
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
  private failures = 0

  constructor(options: WatchKindOptions) {
    this.options = options
    this.status = { kind: options.kind, state: 'listing', lastContact: 0, trouble: '' }
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
      await this.failed(error instanceof Error ? error.message : String(error))
    }
  }

  private async list(location: ResourceLocation): Promise<string> {
    const objects: KubeObject[] = []
    let resourceVersion = ''
    for await (const page of listPages(this.options.api, location.path, this.options.signal)) {
      for (const item of page.items) {
        const object = trimObject(item, location.kind, location.apiVersion)
        if (object !== undefined) objects.push(object)
      }
      resourceVersion = page.resourceVersion
      this.heard()
    }
    await this.options.listener.replaced(objects)
    this.failures = 0
    this.report({ state: 'synced', lastContact: this.options.now(), trouble: '' })
    return resourceVersion
  }

  private follow(location: ResourceLocation, from: string): Promise<WatchEnd> {
    const { watch, signal } = this.options
    return new Promise((resolve) => {
      let resourceVersion = from
      let end: WatchEnd | undefined
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
          else resourceVersion = this.receive(type, value, location) ?? resourceVersion
        },
        (error: unknown) => {
          resolve(end ?? endOf(error, resourceVersion))
        },
      )
      void started.then((controller) => {
        signal.addEventListener('abort', () => controller.abort(), { once: true })
        if (signal.aborted) controller.abort()
      })
    })
  }

  /** Delivers one event. The version to resume from after it, where it carries one. */
  private receive(type: string, value: Json, location: ResourceLocation): string | undefined {
    this.failures = 0
    this.heard()
    const object = type === 'BOOKMARK' ? undefined : trimObject(value, location.kind, location.apiVersion)
    if (object !== undefined) {
      if (type === 'DELETED') this.options.listener.removed(object)
      else this.options.listener.changed(object)
    }
    const { resourceVersion } = asObject(asObject(value).metadata)
    return typeof resourceVersion === 'string' ? resourceVersion : undefined
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
    this.report({ trouble: reason })
    await this.wait(this.options.pause * Math.min(2 ** (this.failures - 1), 60))
  }

  private async wait(milliseconds: number): Promise<void> {
    const jittered = milliseconds * (0.5 + this.options.random())
    await sleep(jittered, undefined, { signal: this.options.signal, ref: false }).catch(() => undefined)
  }

  private heard(): void {
    this.report({ lastContact: this.options.now(), trouble: '' })
  }

  private report(change: Partial<KindStatus>): void {
    this.status = { ...this.status, ...change }
    this.options.listener.status(this.status)
  }
}

function endOf(error: unknown, resourceVersion: string): WatchEnd {
  if (error === null || error === undefined) return { kind: 'ended', resourceVersion }
  const status = typeof error === 'object' && 'statusCode' in error ? error.statusCode : undefined
  if (status === 410 || status === 404) return { kind: 'expired' }
  // No byte for a while: bookmarks come every minute, so the connection is dead; resume from where it was.
  if (error instanceof Error && error.name === 'TimeoutError') return { kind: 'ended', resourceVersion }
  return { kind: 'failed', resourceVersion, reason: error instanceof Error ? error.message : 'the watch failed' }
}

/** An ERROR event carries a Status. */
function endByError(status: Json, resourceVersion: string): WatchEnd {
  return asObject(status).code === 410
    ? { kind: 'expired' }
    : { kind: 'failed', resourceVersion, reason: reasonOf(status) }
}
