// The documentation in a real browser: a page that its own security policy keeps from running looks fine to curl.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { chromium } from 'playwright-core'
import { startGateway } from './support/start.ts'

const browser = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path))

test('the documentation page may run its own scripts', async () => {
  await using started = await startGateway()
  const page = await fetch(`${started.url}/docs/`)
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self'/)
  const script = await fetch(`${started.url}/docs/js/scalar.js`)
  assert.equal(script.status, 200)
})

test('a browser shows the routes', {
  skip: browser === undefined ? 'no Chromium on this machine' : false,
}, async () => {
  await using started = await startGateway()
  const running = await chromium.launch({
    executablePath: browser!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  try {
    const page = await running.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`${started.url}/docs/`)
    await page.getByText('/v1/tasks').first().waitFor({ timeout: 30_000 })
    assert.deepEqual(errors, [])
    for (const foreign of ['Ask AI', 'Generate MCP', 'Developer Tools', 'Share', 'Deploy']) {
      assert.equal(await page.getByText(foreign, { exact: true }).count(), 0, `the page offers ${foreign}`)
    }
  } finally {
    await running.close()
  }
})
