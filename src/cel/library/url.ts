import type { Comparable } from '../value-order.ts'
import { FunctionError, type Library } from './library.ts'

/**
 * URLs: absolute ones and absolute paths. Source: k8s.io/apiserver `pkg/cel/library/urls.go`, on Go's
 * net/url.ParseRequestURI.
 */
export const urlLibrary: Library = {
  register(environment) {
    environment.registerType(TYPE, { ctor: Url })
    const define = (signature: string, body: (...args: never[]) => unknown): void => {
      environment.registerFunction(signature, body, { async: false })
    }
    define(`url(string): ${TYPE}`, (text: string) => {
      const url = parseUrl(text)
      if (url === undefined)
        throw new FunctionError(`"${text}" is not a URL; write it whole, such as https://example.com/`)
      return url
    })
    define('isURL(string): bool', (text: string) => parseUrl(text) !== undefined)
    define(`${TYPE}.getScheme(): string`, ({ scheme }: Url) => scheme)
    define(`${TYPE}.getHost(): string`, ({ host }: Url) => host)
    define(`${TYPE}.getHostname(): string`, ({ host }: Url) => splitHost(host).name)
    define(`${TYPE}.getPort(): string`, ({ host }: Url) => splitHost(host).port)
    define(`${TYPE}.getEscapedPath(): string`, ({ path }: Url) => escapePath(path))
    define(`${TYPE}.getQuery(): map<string, list<string>>`, ({ query }: Url) => parseQuery(query))
  },
}

const TYPE = 'kubernetes.URL'

class Url implements Comparable {
  readonly text: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string

  constructor(
    text: string,
    parts: { readonly scheme: string; readonly host: string; readonly path: string; readonly query: string },
  ) {
    this.text = text
    this.scheme = parts.scheme
    this.host = parts.host
    this.path = parts.path
    this.query = parts.query
  }

  equals(other: unknown): boolean {
    return other instanceof Url && other.text === this.text
  }
}

/** Is a text a URL as Kubernetes reads them: absolute, or an absolute path? */
export function isUrl(text: string): boolean {
  return parseUrl(text) !== undefined
}

function parseUrl(text: string): Url | undefined {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/su.exec(text)
  if (match === null || hasControlCharacters(text)) return undefined
  const [, scheme = '', authority, path = '', query = ''] = match
  if (scheme === '' && !text.startsWith('/')) return undefined
  // `mailto:a@b`: what is behind the scheme is neither host nor path. Source: Go's net/url, parse.
  if (scheme !== '' && authority === undefined && !path.startsWith('/'))
    return new Url(text, { scheme: scheme.toLowerCase(), host: '', path: '', query })
  if (/%(?![\dA-Fa-f]{2})/.test(path)) return undefined
  const host = (authority ?? '').replace(/^.*@/, '')
  if (!isHost(host)) return undefined
  return new Url(text, { scheme: scheme.toLowerCase(), host, path, query })
}

function hasControlCharacters(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return /^\[[\dA-Fa-f:.%\w]+\](?::\d*)?$/.test(host)
  return /^[^\s:<>"[\]]*(?::\d*)?$/.test(host)
}

function splitHost(host: string): { readonly name: string; readonly port: string } {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(host)
  return { name: match?.[1] ?? match?.[2] ?? '', port: match?.[3] ?? '' }
}

/** Go's URL.EscapedPath: what is escaped already stays, what must be is. */
function escapePath(path: string): string {
  return path.replaceAll(/[^\w\-.~$&+,/:;=@%!'()*[\]]+/gu, encodeURIComponent)
}

function parseQuery(query: string): Map<string, readonly string[]> {
  const values = new Map<string, string[]>()
  for (const part of query.split('&')) {
    if (part === '' || part.includes(';')) continue
    const at = part.indexOf('=')
    const key = unescapeQuery(at < 0 ? part : part.slice(0, at))
    const value = unescapeQuery(at < 0 ? '' : part.slice(at + 1))
    if (key === undefined || value === undefined) continue
    const known = values.get(key)
    if (known === undefined) values.set(key, [value])
    else known.push(value)
  }
  return values
}

function unescapeQuery(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
