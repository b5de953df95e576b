// A newcomer's first five minutes, as `npm start` and the README tell them: the samples, a task with curl's means, the
// same with the command, a crash in between that nobody notices.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Installation, startInstallation } from '../boot/installation.ts'

let troupe: Installation

before(async () => {
  troupe = await startInstallation()
})
after(() => troupe.stop())

test('the samples run through every agent that is there, with results in words and links', async () => {
  const { agents } = await troupe.call('GET', '/v1/agents')
  const { code, out, err } = await troupe.troupe(['samples'])
  assert.equal(code, 0, out + err)
  for (const { name } of agents) assert.match(out, new RegExp(`^✔ ${name} read examples/samples/`, 'm'))
  assert.match(out, /decided +by the samples/, 'the intake waited for a person')
  assert.match(out, /asked +document-analyzer × 3 · quality-assurance × 3 · business-intelligence × 1/)
  assert.match(out, /type +invoice/)
  assert.match(out, /reason +.*"order is unique"/)
  assert.match(out, /2024-05/, 'the month that was planted is found')
  const [, id] = /documents get (doc_\w+)/.exec(out)!
  const report = await troupe.troupe(['documents', 'get', id!])
  assert.match(report.out, /<html/)
})

test('the first own task: POST, Prefer: wait, the result', async () => {
  const response = await fetch(`${troupe.url}/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${troupe.key}`, 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({ agent: 'document-analyzer', input: { document: { text: 'Rent is due on 1 May 2025.' } } }),
  })
  assert.equal(response.status, 200)
  const task = (await response.json()) as { state: string; output: { entities: { value: string }[] } }
  assert.equal(task.state, 'completed')
  assert.ok(task.output.entities.some(({ value }) => value === '2025-05-01'))
})

test('following a task through the death of core: every event once, in order, to its end', async () => {
  const text = 'The lighthouse keeper, Ada Lovelace, polishes the lens every evening in Dover. '.repeat(3_000)
  const body = { agent: 'document-analyzer', input: { document: { text } } }
  const { id } = await troupe.call('POST', '/v1/tasks', body)
  const following = troupe.troupe(['tasks', 'follow', id, '--json'])
  process.kill((await troupe.child('core')).facts.pid, 'SIGKILL')
  const { code, out, err } = await following
  assert.equal(code, 0, err)
  const numbers = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).number)
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  )
})
