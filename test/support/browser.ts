// A real browser, where the machine has one. Of its own traffic to elsewhere it starts as little as it can.
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((one) => existsSync(one))

/** For a test's `skip`. */
export const noBrowser: string | false = path === undefined ? 'no Chromium on this machine' : false

/** For every wait: on a busy machine a page takes its time. */
export const PATIENCE_MS = 60_000

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: path!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/**
 * A page, and what its browser complains of: errors of scripts, and what the page's policy kept out. Not that the gateway
 * refused something: that is the page's business.
 */
export async function openPage(browser: Browser): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const isAnswer = message.text().startsWith('Failed to load resource: the server responded')
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text())
  })
  return { page, complaints }
}
