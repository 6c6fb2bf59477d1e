import { asObject } from '../../../../src/kube/json.ts'

/** Whether a call failed with one of these HTTP statuses. */
export function hasStatus(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => error.code === code)
}

/** What went wrong, in the API server's own words where it was the one to refuse. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const body: unknown = 'body' in error && typeof error.body === 'string' ? parse(error.body) : undefined
  const { message } = asObject(body)
  return typeof message === 'string' ? message : error.message
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
