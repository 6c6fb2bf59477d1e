import { asObject, isObject, type Json, type JsonObject } from '../kube/json.ts'
import { text, textMap } from './fields.ts'

/** A call to judge. Without a principal it comes in plaintext; with one, over mTLS from that identity. */
export interface Request {
  readonly id: string
  /** Without `spiffe://`. */
  readonly principal: string | undefined
  readonly ip: string
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
  readonly jwt: Token | undefined
}

/** What a token says that is taken to be signed and in date. */
export interface Token {
  readonly issuer: string
  readonly subject: string
  readonly claims: JsonObject
}

/** Reads a request; what is missing is empty. Undefined for anything that is no object. */
export function parseRequest(value: Json): Request | undefined {
  if (!isObject(value)) return undefined
  const jwt = value.jwt
  return {
    id: text(value.id) ?? '',
    principal: text(value.principal) || undefined,
    ip: text(value.ip) ?? '',
    method: text(value.method) ?? 'GET',
    path: text(value.path) ?? '/',
    host: text(value.host) ?? '',
    headers: lowerCased(textMap(value.headers)),
    jwt: isObject(jwt)
      ? { issuer: text(jwt.issuer) ?? '', subject: text(jwt.sub) ?? '', claims: asObject(jwt.claims) }
      : undefined,
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
