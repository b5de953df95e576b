// Callbacks and webhooks at the door: what is taken, what is refused, what is never shown.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pauseAfter } from '../../src/contract/callbacks.ts'
import { type Started, startGateway } from './support/start.ts'

let started: Started

before(async () => {
  started = await startGateway()
})
after(async () => await started[Symbol.asyncDispose]())

const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const submit = (body: object, headers = {}) =>
  started.call('POST', '/v1/tasks', { body: { agent: 'echo', input: 1, ...body }, headers })

test('a submission names a callback; its address is shown by its origin, its secret never', async () => {
  const url = 'https://hooks.example.org/services/T0/secret-path'
  const made = await submit({ callback: { url, events: ['task.failed'], secret: SECRET } })
  assert.equal(made.status, 202, made.text)
  const read = await started.call('GET', `/v1/tasks/${made.json.id}`)
  const shown = [{ to: 'https://hooks.example.org', events: ['task.failed'] }]
  assert.deepEqual([made.json.callbacks, read.json.callbacks], [shown, shown])
  const list = await started.call('GET', '/v1/tasks')
  const events = await started.call('GET', `/v1/tasks/${made.json.id}/events`)
  const audit = await started.call('GET', '/v1/audit')
  const everything = [made, read, list, events, audit].map(({ text }) => text).join()
  assert.ok(!everything.includes(SECRET) && !everything.includes('secret-path'))
  const row = JSON.stringify(await started.journal.load(made.json.id))
  assert.ok(!row.includes(SECRET), 'in the journal it is sealed')
})

test('what leads nowhere public, or is no address, is refused at once', async () => {
  const wrong: [unknown, number, RegExp][] = [
    [{ url: 'http://example.org/' }, 422, /https/],
    [{ url: 'https://127.0.0.1/' }, 422, /not a public/],
    [{ url: 'https://[::1]/' }, 422, /not a public/],
    [{ url: 'https://[::ffff:10.0.0.1]/' }, 422, /not a public/],
    [{ url: 'https://169.254.169.254/latest/meta-data' }, 422, /not a public/],
    [{ url: 'https://0x7f000001/' }, 422, /not a public/],
    [{ url: 'https://user:pass@example.org/' }, 422, /credentials/],
    [{ url: 'file:///etc/passwd' }, 422, /https/],
    [{ url: 'nonsense' }, 422, /not an address/],
    [{ url: `https://example.org/${'x'.repeat(2_000)}` }, 400, /url/],
    [{ url: 'https://example.org/', secret: 'whsec_c2hvcnQ=' }, 400, /24 to 64/],
    [{ url: 'https://example.org/', secret: 'mine' }, 400, /whsec_/],
    [{ url: 'https://example.org/', events: ['task.exploded'] }, 400, /events/],
    [{ url: 'https://example.org/', events: [] }, 400, /events/],
    [{ url: 'https://example.org/', more: 1 }, 400, /more/],
  ]
  for (const [callback, status, why] of wrong) {
    const answer = await submit({ callback })
    assert.equal(answer.status, status, `${JSON.stringify(callback)}: ${answer.text}`)
    assert.match(answer.json.detail, why)
  }
})

test('the operator’s policy names addresses that may lead into a private network', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-policy-'))
  const policyFile = join(folder, 'policy.json')
  await writeFile(policyFile, JSON.stringify({ webhooks: { private: ['http://127.0.0.1:9000/hooks'] } }))
  try {
    await using own = await startGateway({ config: { policyFile } })
    const body = (url: string) => ({ body: { agent: 'echo', input: 1, callback: { url } } })
    assert.equal((await own.call('POST', '/v1/tasks', body('http://127.0.0.1:9000/hooks/a'))).status, 202)
    assert.equal((await own.call('POST', '/v1/tasks', body('http://127.0.0.1:9000/other'))).status, 422)
    assert.equal((await own.call('POST', '/v1/tasks', body('http://127.0.0.1:9001/hooks/a'))).status, 422)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a repeated submission is the same with its callback, and a conflict with another', async () => {
  const callback = { url: 'https://example.org/a', secret: SECRET }
  const key = { 'idempotency-key': 'with-a-callback' }
  const first = await submit({ callback }, key)
  const again = await submit({ callback }, key)
  assert.deepEqual([again.json.id, again.headers.get('idempotency-replayed')], [first.json.id, 'true'])
  assert.equal((await submit({ callback: { ...callback, url: 'https://example.org/b' } }, key)).status, 409)
  assert.equal((await submit({}, key)).status, 409)
})

test('a tenant’s webhooks are an admin’s business: made, listed without secret, removed, at most twenty', async () => {
  const admin = await started.key('admin', 'hooked')
  const submitter = await started.key('submitter', 'hooked')
  const call = (method: string, path: string, body?: unknown, key = admin) =>
    started.call(method, path, { key, ...(body === undefined ? {} : { body }) })
  const wanted = { url: 'https://example.org/all', events: ['task.completed'] }
  const made = await call('POST', '/v1/webhooks', wanted)
  assert.equal(made.status, 201, made.text)
  assert.match(made.json.secret, /^whsec_/)
  assert.equal(made.headers.get('cache-control'), 'no-store')
  const { secret, ...shown } = made.json
  const listed = await call('GET', '/v1/webhooks')
  assert.deepEqual(listed.json.webhooks, [shown])
  for (const [method, path] of [
    ['GET', '/v1/webhooks'],
    ['GET', '/v1/signing-secret'],
    ['DELETE', `/v1/webhooks/${shown.id}`],
  ] as const) {
    assert.equal((await call(method, path, undefined, submitter)).status, 403)
  }
  assert.equal((await call('POST', '/v1/webhooks', { url: 'https://10.0.0.1/' })).status, 422)

  const task = await call('POST', '/v1/tasks', { agent: 'echo', input: 1 }, submitter)
  assert.deepEqual(task.json.callbacks, [{ to: shown.id, events: ['task.completed'] }])
  // Another tenant knows nothing of it, and has a signing secret of its own.
  assert.equal((await submit({})).json.callbacks, undefined)
  assert.deepEqual((await started.call('GET', '/v1/webhooks')).json.webhooks, [])
  assert.equal((await started.call('DELETE', `/v1/webhooks/${shown.id}`)).status, 404)
  const secrets = [await call('GET', '/v1/signing-secret'), await started.call('GET', '/v1/signing-secret')]
  assert.notEqual(secrets[0]!.json.secret, secrets[1]!.json.secret)

  for (let more = 1; more < 20; more++) assert.equal((await call('POST', '/v1/webhooks', wanted)).status, 201)
  assert.equal((await call('POST', '/v1/webhooks', wanted)).json.code, 'limit_exceeded')
  assert.equal((await call('DELETE', `/v1/webhooks/${shown.id}`)).status, 204)
  assert.equal((await call('DELETE', `/v1/webhooks/${shown.id}`)).status, 404)
  const audit = (await call('GET', '/v1/audit')).text
  assert.ok(audit.includes('webhook.create') && audit.includes('webhook.secret') && !audit.includes(secret))
})

test('a webhook’s secret is rotated by an admin: the new one is shown once, the old one has a last day', async () => {
  const admin = await started.key('admin', 'rotating')
  const call = (path: string, body: unknown, key = admin) => started.call('POST', path, { key, body })
  const made = await call('/v1/webhooks', { url: 'https://example.org/all' })
  const path = `/v1/webhooks/${made.json.id}/secret`
  const rotated = await call(path, { overlapHours: 2 })
  assert.equal(rotated.status, 200, rotated.text)
  assert.equal(rotated.headers.get('cache-control'), 'no-store')
  assert.match(rotated.json.secret, /^whsec_/)
  assert.notEqual(rotated.json.secret, made.json.secret)
  const hours = (Date.parse(rotated.json.oldSecretUntil) - Date.now()) / 3_600_000
  assert.ok(hours > 1.9 && hours <= 2, `${hours} hours`)
  assert.equal((await call(path, { secret: SECRET })).json.secret, SECRET)
  const [shown] = (await started.call('GET', '/v1/webhooks', { key: admin })).json.webhooks
  assert.ok(shown.oldSecretUntil !== undefined && shown.secret === undefined && shown.old === undefined)

  assert.equal((await call(path, {}, await started.key('submitter', 'rotating'))).status, 403)
  assert.equal((await call(path, {}, await started.key('admin', 'rival'))).status, 404)
  assert.equal((await call(path, { overlapHours: 169 })).status, 400)
  assert.equal((await call(path, { secret: 'mine' })).status, 400)
  const audit = (await started.call('GET', '/v1/audit', { key: admin })).text
  assert.ok(audit.includes('webhook.rotate') && !audit.includes(rotated.json.secret))
})

test('the deliveries about a task are listed for its own tenant only', async () => {
  const { id } = (await submit({ callback: { url: 'https://example.org/' } })).json
  const { notices } = await end(id)
  const deliveries = await started.call('GET', `/v1/tasks/${id}/deliveries`)
  assert.equal(deliveries.status, 200, deliveries.text)
  const [first] = deliveries.json.deliveries
  assert.deepEqual([first.id, first.event, first.state], [notices[0]!.id, 'task.failed', 'queued'])
  assert.equal((await started.call('GET', first.links.self)).json.agent, 'webhook')
  await started.commit(first.id, 'waiting', [
    { type: 'progress', message: 'it answered 503' },
    { type: 'task.waiting', for: { kind: 'timer', detail: pauseAfter(2) } },
  ])
  const [waiting] = (await started.call('GET', `/v1/tasks/${id}/deliveries`)).json.deliveries
  assert.deepEqual([waiting.state, waiting.attempts, waiting.because], ['waiting', 2, 'it answered 503'])
  const rival = await started.key('admin', 'rival')
  assert.equal((await started.call('GET', `/v1/tasks/${id}/deliveries`, { key: rival })).status, 404)
})

/** As the host’s actor ends it. */
async function end(id: string) {
  const { noticesOf } = await import('../../src/journal/notices.ts')
  const { task } = (await started.journal.load(id))!
  const { hostId } = { hostId: 'host_webhooks' }
  await started.journal.keepLease({ hostId, info: {}, leaseMs: 60_000 })
  const events = [{ type: 'task.failed' as const, error: { code: 'step_failed' as const, message: 'no' } }]
  const notices = noticesOf(task, { state: 'failed', events })
  const { epoch, version, lastEvent } = task
  const made = { taskId: id, epoch, version, lastEvent }
  const ends = { ...made, state: 'failed' as const, release: true, events, children: notices }
  const outcome = await started.journal.commit({ ...ends, claim: { hostId } })
  assert.ok(outcome.applied)
  return { notices }
}

test('nobody writes news by hand: the delivering agent is not asked, nor shown among those that can be', async () => {
  const input = { task: 'task_x', number: 2, event: 'task.failed', callback: 0 }
  const refused = await submit({ agent: 'webhook', input })
  assert.deepEqual([refused.status, /asked by Troupe only/.test(refused.json.detail)], [400, true])
  const body = { agent: 'webhook', input, cron: '@daily' }
  assert.equal((await started.call('PUT', '/v1/schedules/forged', { body })).status, 400)
  const batch = await started.call('POST', '/v1/tasks/batch', { body: { tasks: [{ agent: 'webhook', input }] } })
  assert.equal(batch.status, 400)
})

test('a schedule’s tasks carry its callback and its labels; it shows no secret', async () => {
  const body = { agent: 'echo', input: 1, cron: '@daily', labels: { team: 'data' } }
  const callback = { url: 'https://example.org/private-path', secret: SECRET }
  const put = await started.call('PUT', '/v1/schedules/told', { body: { ...body, callback } })
  assert.equal(put.status, 201, put.text)
  assert.deepEqual(
    [put.json.callbacks, put.json.labels, put.json.callback],
    [[{ to: 'https://example.org' }], { team: 'data' }, undefined],
  )
  const soon = { ...body, cron: undefined, at: new Date(Date.now() + 1_500).toISOString(), callback }
  assert.equal((await started.call('PUT', '/v1/schedules/soon-told', { body: soon })).status, 201)
  const [task] = await fired()
  assert.deepEqual([task.callbacks, task.labels], [[{ to: 'https://example.org' }], { team: 'data' }])
  for (const path of ['/v1/schedules', '/v1/schedules/told']) {
    const { text } = await started.call('GET', path)
    assert.ok(!text.includes(SECRET) && !text.includes('private-path'))
  }
  const bad = { ...body, callback: { url: 'https://192.168.1.1/' } }
  assert.equal((await started.call('PUT', '/v1/schedules/bad', { body: bad })).status, 422)
})

async function fired() {
  for (let look = 0; look < 1_200; look++) {
    const { tasks } = (await started.call('GET', '/v1/tasks?label=team:data')).json
    if (tasks.length > 0) return tasks
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('the schedule did not fire')
}
