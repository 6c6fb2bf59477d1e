import { launch, type Browser, type Page } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { startHttpsServer, type RunningServer } from '../../src/webhook/https-server.ts'
import { makeCertificate } from '../../src/webhook/self-made-certificate.ts'
import { createTestServer } from '../webhook/test-server.ts'
import { findChromium } from './chromium.ts'

const executablePath = findChromium()

describe.skipIf(executablePath === undefined)('the dry-run page in a browser', () => {
  let browser: Browser
  let server: RunningServer
  let page: Page
  const complaints: string[] = []

  beforeAll(async () => {
    const { source } = await makeCertificate({ names: ['127.0.0.1'], problem: () => undefined })
    const { app, lifecycle } = createTestServer()
    server = await startHttpsServer({ host: '127.0.0.1', port: 0, certificates: source, lifecycle, listener: app })
    browser = await launch({
      executablePath: executablePath ?? '',
      acceptInsecureCerts: true,
      args: ['--no-sandbox', '--disable-gpu'],
    })
  }, 60_000)

  afterAll(async () => {
    await browser.close()
    await server.drain(0)
  })

  beforeEach(async () => {
    complaints.length = 0
    await page?.close()
    page = await browser.newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(`https://127.0.0.1:${server.address.port}/`)
  })

  /** What is judged, and what the page then shows. */
  async function judge(text: string): Promise<string> {
    await page.locator('#text').fill(text)
    await page.click('form button')
    await page.waitForSelector('#answer > *')
    return String(await page.evaluate('document.getElementById("answer").innerText'))
  }

  const permissive = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec:
  mtls:
    mode: PERMISSIVE
`

  test('judges the example that it opens with', async () => {
    await page.click('form button')
    await page.waitForSelector('#summary')
    expect(await page.$eval('#summary', (summary) => summary.textContent)).toBe('2 objects: 1 deny, 0 warn, 0 audit')
    expect(complaints).toEqual([])
  })

  test('shows a refusal with its field, and leads to the line', async () => {
    const shown = await judge(permissive)
    expect(shown).toContain('PeerAuthentication shop/default is refused')
    expect(shown).toContain('Deny MTLS-02 spec.mtls.mode, line 6')
    await page.click('#answer .place')
    const selected = await page.evaluate('text.value.slice(text.selectionStart, text.selectionEnd)')
    expect(selected).toBe('PERMISSIVE')
  })

  test('accepts what is in order', async () => {
    expect(await judge(permissive.replace('PERMISSIVE', 'STRICT'))).toContain('shop/default is accepted')
  })

  test('shows what a default would fill, and leaves it out where none is asked for', async () => {
    const route = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: cart, namespace: shop }
spec: { hosts: [cart], http: [{ route: [{ destination: { host: cart } }] }] }
`
    expect(await judge(route)).toContain('Filled RES-01 spec.http[0].timeout')
    await page.click('#defaults')
    await page.$eval('#answer', (answer) => answer.replaceChildren())
    expect(await judge(route)).toContain('no timeout is set')
  })

  test('says where text is no YAML', async () => {
    expect(await judge('a: [')).toMatch(/DOC-01, line 1\s+a bracket is not closed here/)
  })

  test('shows markup in a manifest as text, and runs none of it', async () => {
    const markup = '<img src=x onerror="document.title=1">'
    const shown = await judge(
      permissive
        .replace('PERMISSIVE', `'${markup}'`)
        .replace('name: default', `name: "${markup.replaceAll('"', '\\"')}"`),
    )
    expect(shown).toContain('<img src=x')
    expect(await page.title()).toBe('Meshward dry run')
    expect(await page.$('#answer img')).toBeNull()
  })

  test('Ctrl+Enter judges, too', async () => {
    await page.focus('#text')
    await page.keyboard.down('Control')
    await page.keyboard.press('Enter')
    await page.keyboard.up('Control')
    await page.waitForSelector('#summary')
  })
})
