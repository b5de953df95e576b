// The documentation in a real browser: a page that its own security policy keeps from running looks fine to curl.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noBrowser, openBrowser, openPage } from '../support/browser.ts'
import { startGateway } from './support/start.ts'

test('the documentation page may run its own scripts', async () => {
  await using started = await startGateway()
  const page = await fetch(`${started.url}/docs/`)
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self'/)
  const script = await fetch(`${started.url}/docs/js/scalar.js`)
  assert.equal(script.status, 200)
})

test('a browser shows the routes', { skip: noBrowser }, async () => {
  await using started = await startGateway()
  const browser = await openBrowser()
  try {
    const { page, complaints } = await openPage(browser)
    await page.goto(`${started.url}/docs/`)
    await page.getByText('/v1/tasks').first().waitFor()
    assert.deepEqual(complaints, [])
    for (const foreign of ['Ask AI', 'Generate MCP', 'Developer Tools', 'Share', 'Deploy']) {
      assert.equal(await page.getByText(foreign, { exact: true }).count(), 0, `the page offers ${foreign}`)
    }
  } finally {
    await browser.close()
  }
})
