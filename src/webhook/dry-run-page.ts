import type { RequestHandler } from 'express'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** The page at `/`: paste manifests, see what an apply would meet. Read when first asked for; no outside assets. */
export function createDryRunPage(file: string): RequestHandler {
  let page: Promise<Page> | undefined
  return async (_, response) => {
    page ??= readPage(file)
    const { html, policy } = await page
    response.set({ 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' }).type('html').send(html)
  }
}

interface Page {
  readonly html: string
  readonly policy: string
}

/** Nothing but the page's own script and style may run, and it may speak to nobody but us. */
async function readPage(file: string): Promise<Page> {
  const html = await readFile(file, 'utf8')
  const hashOf = (element: string): string => {
    const [, text = ''] = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(html) ?? []
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  }
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf('script')}`,
    `style-src ${hashOf('style')}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return { html, policy: policy.join('; ') }
}
