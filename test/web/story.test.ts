// The console in a real browser, before a real installation: from signing in to an answer that a person gives.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { type Installation, ROOT, startInstallation } from '../boot/installation.ts'
import { noBrowser, openBrowser, openPage } from '../support/browser.ts'

/** What would run if it became markup; and a risk that the reviewer finds, so that a person is asked. */
const HOSTILE = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script> &amp; "'\u202e`
const CONTRACT = `The supplier accepts unlimited liability ${HOSTILE} for all damages.`
const LABEL = '<b onmouseover=alert(1)>x</b>'

let troupe: Installation
let browser: Browser

before(async () => {
  if (noBrowser !== false) return
  ;[troupe, browser] = await Promise.all([
    startInstallation({ env: { TROUPE_AGENTS: join(ROOT, 'examples', 'contract-reviewer') } }),
    openBrowser(),
  ])
})
after(async () => {
  await browser?.close()
  await troupe?.stop()
})

async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** From the agents' page to the page of the new task. */
async function submit(page: Page, input: string): Promise<void> {
  await page.getByRole('link', { name: 'Agents' }).click()
  await page.getByRole('link', { name: 'contract-reviewer', exact: true }).click()
  await page.getByLabel('JSON').fill(input)
  await page.getByLabel('Labels').fill(`customer:${LABEL}`)
  await page.getByRole('button', { name: 'Submit' }).click()
}

const section = (page: Page, title: string) =>
  page.locator('section', { has: page.getByRole('heading', { name: title, exact: true }) })

test('a person signs in, gives an agent a task, answers its question and reads what came of it', {
  skip: noBrowser,
}, async () => {
  const { page, complaints } = await openPage(browser)
  await page.goto(`${troupe.url}/`)
  assert.equal(new URL(page.url()).pathname, '/console/')

  await signIn(page, 'trp_wrong')
  await page.getByText('This key is refused').waitFor()
  await signIn(page, troupe.key)
  await page.getByText('No tasks yet').waitFor()

  await submit(page, '{"text": ')
  await page.getByText('This is no JSON').waitFor()
  await page.getByLabel('JSON').fill('{"words": 1}')
  await page.getByRole('button', { name: 'Submit' }).click()
  const code = page.getByRole('link', { name: 'invalid_input' })
  await code.waitFor()
  assert.equal(await code.getAttribute('href'), `${troupe.url}/errors#invalid_input`)

  await page.getByLabel('JSON').fill(JSON.stringify({ text: CONTRACT }))
  await page.getByRole('button', { name: 'Submit' }).click()
  await page.locator('h1 .state.input-required').waitFor()
  assert.ok((await section(page, 'Input').textContent())?.includes(CONTRACT))
  await page.getByRole('link', { name: `customer: ${LABEL}` }).waitFor()

  await page.getByLabel('approved').selectOption('no')
  await page.getByLabel('reason').fill(HOSTILE)
  const answer = page.waitForRequest(/\/messages$/)
  await page.getByRole('button', { name: 'Send' }).click()
  assert.match((await answer).headers()['if-match'] ?? '', /^"\d+-\w+"$/, 'it is for this question')
  await page.locator('h1 .state.completed').waitFor()
  const output = section(page, 'Output')
  assert.match((await output.textContent()) ?? '', /approvedfalse/)
  await output.getByText('unlimited liability · ').click()
  const sentence = output.locator('.text', { hasText: 'onerror' })
  await sentence.waitFor()
  assert.equal(await sentence.textContent(), CONTRACT)
  await section(page, 'Trace')
    .getByRole('row', { name: /step reading/ })
    .waitFor()
  await section(page, 'Events').getByText('message received decide').waitFor()

  await page.getByRole('link', { name: `customer: ${LABEL}` }).click()
  const row = page.getByRole('row', { name: /completed contract-reviewer/ })
  await row.waitFor()
  assert.equal(await page.getByRole('row').count(), 2, 'its head, and the one task that has the label')

  assert.equal(await page.locator('main img, main script, main b').count(), 0)
  assert.match(await page.title(), /Troupe$/)
  assert.deepEqual(complaints, [])
  await page.close()
})

test('a person cancels a task, looks at the tree and signs out', { skip: noBrowser }, async () => {
  const { page, complaints } = await openPage(browser)
  await page.goto(`${troupe.url}/console/#/agents`)
  await signIn(page, troupe.key)
  await submit(page, JSON.stringify({ text: CONTRACT }))
  await page.locator('h1 .state.input-required').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByLabel('Reason, if you like').fill('not needed')
  await page.getByRole('button', { name: 'Cancel the task' }).click()
  await page.locator('h1 .state.cancelled').waitFor()
  await page.getByRole('button', { name: 'Retry' }).waitFor()

  await page.getByRole('link', { name: 'System' }).click()
  await page.getByRole('row', { name: /core running/ }).waitFor()
  await page.getByText('Used by this tenant').waitFor()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('API key').waitFor()
  assert.equal(await page.evaluate('sessionStorage.length + localStorage.length'), 0)
  assert.deepEqual(complaints, [])
  await page.close()
})
