// A page that is open sees what happens, whatever happens to its connection; and offers what the role allows.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { type Started, startGateway } from '../gateway/support/start.ts'
import { noBrowser, openBrowser, openPage } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { sharedData } from '../support/shared-data.ts'

const naughty = sharedData('security/blns/blns.json')

/** In the page, because ten clicks of a person take longer and prove no more. */
const UNFOLD = `
  const folded = () => [...document.querySelectorAll('button')].find((one) => / more$| characters$/.test(one.textContent))
  for (let button = folded(); button !== undefined; button = folded()) button.click()
`

/** A headless browser hides no tab by itself. */
const TURN = `((state) => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))
})`

let started: Started
let browser: Browser

before(async () => {
  if (noBrowser !== false) return
  ;[started, browser] = await Promise.all([startGateway(), openBrowser()])
})
after(async () => {
  await browser?.close()
  await started?.[Symbol.asyncDispose]()
})

/** Signed in, on the page of this part of the address. */
async function open(hash: string, key: string): Promise<Page> {
  const { page } = await openPage(browser)
  await signIn(page, hash, key)
  return page
}

async function signIn(page: Page, hash: string, key: string): Promise<void> {
  await page.goto(`${started.url}/console/${hash}`)
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function submit(input: unknown, more: Record<string, unknown> = {}): Promise<string> {
  return (await started.call('POST', '/v1/tasks', { body: { agent: 'echo', input, ...more } })).json.id
}

/** The number that each row of the log begins with. */
const numbers = (page: Page) => page.locator('.log .number').allTextContents()

test('progress, streamed text and the end appear as they are committed', { skip: noBrowser }, async () => {
  const id = await submit({ name: 'Ada' })
  const page = await open(`#/tasks/${id}`, started.adminKey)
  await page.locator('h1 .state.queued').waitFor()
  await started.commit(id, 'running', [{ type: 'progress', fraction: 0.5, message: 'half of it' }])
  await page.locator('h1 .state.running').waitFor()
  await page.locator('.progress').getByText('50 % half of it').waitFor()
  await started.commit(id, 'running', [{ type: 'tokens', text: 'Hello ' }])
  await started.commit(id, 'running', [{ type: 'tokens', text: 'Ada' }])
  await page.locator('.streamed').getByText('Hello Ada').waitFor()
  await started.commit(id, 'completed', [{ type: 'task.completed' }], { greeting: 'Hello Ada' })
  await page.locator('h1 .state.completed').waitFor()
  await page.locator('section', { hasText: 'Output' }).getByText('greeting').waitFor()
  assert.deepEqual(await numbers(page), ['1', '2', '3', '4', '5'])
  await page.close()
})

test('a connection that breaks is taken up where it was: every event once, in order', { skip: noBrowser }, async () => {
  const id = await submit({})
  const page = await open(`#/tasks/${id}`, started.adminKey)
  await page.getByText('accepted for echo').waitFor()
  for (let part = 1; part <= 3; part++) {
    started.gateway.app.server.closeAllConnections()
    await started.commit(id, 'running', [{ type: 'progress', message: `part ${part}` }])
    await page.locator('.log').getByText(`part ${part}`).waitFor()
  }
  assert.deepEqual(await numbers(page), ['1', '2', '3', '4'])
  await page.close()
})

test('a hidden tab holds no connection, and sees what it missed when somebody looks again', {
  skip: noBrowser,
}, async () => {
  const id = await submit({})
  const page = await open(`#/tasks/${id}`, started.adminKey)
  await page.getByText('accepted for echo').waitFor()
  await page.evaluate(`${TURN}('hidden')`)
  const streams = async () =>
    /^troupe_gateway_streams_open (\d+)$/m.exec((await started.call('GET', '/metrics')).text)?.[1]
  await eventually('no stream is open', async () => (await streams()) === '0')
  await started.commit(id, 'running', [{ type: 'progress', message: 'unseen' }])
  assert.equal(await page.getByText('unseen').count(), 0)
  await page.evaluate(`${TURN}('visible')`)
  await page.locator('.log').getByText('unseen').waitFor()
  assert.deepEqual(await numbers(page), ['1', '2'])
  await page.close()
})

test('of a long log the latest events are shown, and those before when somebody asks', {
  skip: noBrowser,
}, async () => {
  const id = await submit({})
  const events = Array.from({ length: 250 }, (_, at) => ({ type: 'progress' as const, message: `part ${at + 2}` }))
  await started.commit(id, 'running', events)
  const page = await open(`#/tasks/${id}`, started.adminKey)
  await page.locator('.log').getByText('part 251').waitFor()
  assert.equal((await numbers(page))[0], '52')
  await page.getByRole('button', { name: 'Show earlier events (51)' }).click()
  await page.getByText('accepted for echo').waitFor()
  assert.deepEqual(
    await numbers(page),
    Array.from({ length: 251 }, (_, at) => String(at + 1)),
  )
  await page.close()
})

test('a failed task says what to do, and goes on being followed when it is run again', {
  skip: noBrowser,
}, async () => {
  const id = await submit({})
  await started.commit(id, 'failed', [
    { type: 'task.failed', error: { code: 'step_failed', message: 'as the test wants' } },
  ])
  const page = await open(`#/tasks/${id}`, started.adminKey)
  await page.getByText('runs it from its last good state').waitFor()
  await page.getByRole('button', { name: 'Retry' }).click()
  await page.locator('h1 .state.queued').waitFor()
  await started.commit(id, 'completed', [{ type: 'task.completed' }], 'done')
  await page.locator('h1 .state.completed').waitFor()
  await page.getByText('task completed').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Retry' }).count(), 0)
  await page.close()
})

test('of many naughty strings each is shown as the text that it is', {
  skip: noBrowser || (naughty === undefined && 'the list of naughty strings is not here'),
}, async () => {
  const strings: string[] = JSON.parse(readFileSync(naughty!, 'utf8'))
  const id = await submit({})
  await started.commit(id, 'completed', [{ type: 'task.completed' }], strings)
  const { page, complaints } = await openPage(browser)
  await signIn(page, `#/tasks/${id}`, started.adminKey)
  const output = page.locator('section', { hasText: 'Output' })
  await output.getByRole('button', { name: /^\d+ more$/ }).waitFor()
  await page.evaluate(UNFOLD)
  const shown = await output.locator('.text').allTextContents()
  assert.deepEqual(shown, strings)
  assert.deepEqual(complaints, [])
  await page.close()
})

test('a viewer sees what there is and is offered nothing that he may not do', { skip: noBrowser }, async () => {
  const id = await submit({ secret: 'plan' })
  const page = await open(`#/tasks/${id}`, await started.key('viewer'))
  await page.getByText('plan').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Cancel' }).count(), 0)
  await page.goto(`${started.url}/console/#/agents/echo`)
  await page.getByText('This needs a key with the role submitter').waitFor()
  await page.goto(`${started.url}/console/#/system`)
  await page.getByText('The tree belongs to the platform').waitFor()
  await page.close()
})

test('the list sees new tasks, filters them, and turns its pages', { skip: noBrowser }, async () => {
  const batch = Array.from({ length: 60 }, (_, at) => ({ agent: 'echo', input: at, labels: { run: 'pages' } }))
  await started.call('POST', '/v1/tasks/batch', { body: { tasks: batch } })
  const page = await open('#/tasks?label=run:pages', started.adminKey)
  const rows = page.locator('table.tasks tbody tr')
  await rows.nth(49).waitFor()
  await page.getByRole('button', { name: 'Older' }).click()
  await page.waitForFunction("document.querySelectorAll('table.tasks tbody tr').length === 10")
  await page.getByRole('button', { name: 'Newer' }).click()
  const id = await submit('new', { labels: { run: 'pages' } })
  await page.getByRole('link', { name: id }).waitFor()
  await page.getByLabel('State').selectOption('completed')
  await page.getByText('No task fits.').waitFor()
  assert.equal(new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('label'), 'run:pages')
  await page.close()
})

test('what an address asks for in vain is told in words, also when it was cut in the middle', {
  skip: noBrowser,
}, async () => {
  const { page, complaints } = await openPage(browser)
  await signIn(page, '#/tasks?label=no-value', started.adminKey)
  await page.getByText('must be key:value').waitFor()
  assert.equal(await page.getByText('Reading …').count(), 0)
  await page.goto(`${started.url}/console/#/tasks/%E0%A4%A`)
  await page.getByText('There is no task').waitFor()
  await page.goto(`${started.url}/console/#/agents/nobody`)
  await page.getByText('There is no agent nobody').waitFor()
  assert.deepEqual(complaints, [])
  await page.close()
})

test('a key that is revoked signs its reader out and says why', { skip: noBrowser }, async () => {
  const made = await started.call('POST', '/v1/keys', { body: { name: 'soon gone', role: 'viewer' } })
  const page = await open('#/tasks', made.json.secret)
  await page.getByRole('heading', { name: 'Tasks' }).waitFor()
  await started.call('DELETE', `/v1/keys/${made.json.id}`)
  await page.getByText('Signed out: ').waitFor()
  assert.equal(await page.evaluate('sessionStorage.length'), 0)
  await page.close()
})
