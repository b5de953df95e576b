// Ctrl-C of `troupe up` with callers and work that take their time: one grace for all of them, and said.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { type Installation, startInstallation } from './installation.ts'

const AGENTS = join(import.meta.dirname, 'agents')

/** A step that takes a minute, an upload that goes on and on, and a reader of a stream. */
async function busy(graceMs: number): Promise<Installation> {
  const env = { TROUPE_AGENTS: AGENTS, TROUPE_GRACE_MS: String(graceMs) }
  const troupe = await startInstallation({ env })
  const { id } = await troupe.call('POST', '/v1/tasks', { agent: 'feed-sleeper', input: {} })
  const state = async () => (await troupe.call('GET', `/v1/tasks/${id}`)).state
  await eventually('the step runs', async () => (await state()) === 'running')
  const { port, hostname } = new URL(troupe.url)
  const head = (line: string, more: string) =>
    `${line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${troupe.key}\r\n${more}\r\n\r\n`
  const upload = connect(Number(port), hostname).on('error', () => {})
  upload.write(head('POST /v1/tasks', 'content-type: application/json\r\ncontent-length: 9000000'))
  const drip = setInterval(() => upload.writable && upload.write('x'.repeat(2_000)), 200)
  upload.on('close', () => clearInterval(drip))
  const reader = connect(Number(port), hostname).on('error', () => {})
  reader.write(head(`GET /v1/tasks/${id}/events`, 'accept: text/event-stream'))
  await once(reader, 'data')
  return troupe
}

test('a stop takes one grace for callers and work together, and says what it waits for', async () => {
  const troupe = await busy(8_000)
  const begun = performance.now()
  troupe.root.kill('SIGINT')
  await troupe.saying(/stopping: running tasks get up to 8 s to end; Ctrl-C again stops at once/)
  await troupe.saying(/core +│ draining 1 running task\n/)
  assert.equal(await troupe.stop(), 0)
  const took = performance.now() - begun
  assert.ok(took < 15_500, `stopped after ${took} ms: two graces`)
  assert.match(troupe.said(), /stopped after \d+\.\d s; what has not ended goes on at the next start/)
  assert.doesNotMatch(troupe.said(), /was killed/)
})

test('a second Ctrl-C ends at once; its echo by npm does not count as one', async () => {
  const troupe = await busy(60_000)
  troupe.root.kill('SIGINT')
  troupe.root.kill('SIGINT')
  await troupe.saying(/draining 1 running task/)
  // Longer than an echo may take.
  await wait(300)
  assert.doesNotMatch(troupe.said(), /stopping at once/)
  const begun = performance.now()
  troupe.root.kill('SIGINT')
  const [code] = await once(troupe.root, 'exit')
  assert.equal(code, 0)
  assert.ok(performance.now() - begun < 20_000)
  await troupe.stop()
})
