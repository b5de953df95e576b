import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Principal } from '../../src/gateway/auth/principal.ts'
import { createRates, type RateBounds } from '../../src/gateway/limits/rates.ts'
import { createWindow } from '../../src/gateway/limits/window.ts'
import { eventually } from '../support/eventually.ts'
import { missing, startRedis } from '../support/servers.ts'
import { startGateway } from './support/start.ts'

const someone = (tenant = 'acme', id = 'key_1'): Principal => ({ tenant, role: 'viewer', subject: id, limitId: id })
const bounds: RateBounds = { requestsPerSecond: { key: 3, tenant: 5 }, failedLoginsPerSecond: 2 }
/** Requests at once: a machine that takes ten seconds for them still sees some of them within one. */
const MANY = 40
/** Without patience a request is held for as long as Redis hangs. */
const HELD_MS = 10_000
const refusals = async (work: () => Promise<void> | undefined, times: number): Promise<number> => {
  const results = await Promise.allSettled(Array.from({ length: times }, async () => await work()))
  return results.filter((result) => result.status === 'rejected').length
}

test('a key over its rate gets 429 with Retry-After; another key goes on', async () => {
  await using started = await startGateway({ config: { requestsPerSecond: { key: 1_000, tenant: 1_000 } } })
  const slow = await started.call('POST', '/v1/keys', { body: { name: 's', role: 'viewer', requestsPerSecond: 2 } })
  const ask = () => started.call('GET', '/v1/agents', { key: slow.json.secret })
  const answers = await Promise.all(Array.from({ length: MANY }, ask))
  const limited = answers.filter((answer) => answer.status === 429)
  assert.ok(limited.length >= 2, `${limited.length} of ${MANY} were limited`)
  assert.equal(limited[0]!.json.code, 'rate_limited')
  assert.equal(limited[0]!.headers.get('retry-after'), '1')
  assert.equal((await started.call('GET', '/v1/agents')).status, 200)
})

test('keys of one tenant share the tenant’s rate; tenants do not share', async () => {
  const rates = await createRates(bounds, () => 0)
  const byTurns = async (tenant: string) =>
    (await refusals(() => rates.take(someone(tenant, 'a')), 3)) +
    (await refusals(() => rates.take(someone(tenant, 'b')), 3))
  assert.equal(await byTurns('one'), 1)
  assert.equal(await refusals(() => rates.take(someone('two', 'c')), 3), 0)
  await rates.close()
})

test('a count in memory begins anew with each window, outlives a clock set back, and forgets who went', () => {
  let now = 10_000
  const window = createWindow(1_000, () => now)
  assert.deepEqual([window.count('a').consumedPoints, window.count('a').consumedPoints], [1, 2])
  now += 400
  assert.deepEqual(window.count('a'), { consumedPoints: 3, msBeforeNext: 600 })
  now += 600
  assert.equal(window.count('a').consumedPoints, 1)
  now -= 5_000
  assert.deepEqual(window.count('a'), { consumedPoints: 1, msBeforeNext: 1_000 })
  now += 10_000
  for (let address = 0; address < 1_000; address++) window.count(`login:${address}`)
  now += 2_000
  window.count('b')
  assert.equal(window.size, 1)
})

test('guesses from one address are slowed down, a valid key from there is not', async () => {
  await using started = await startGateway({ config: { failedLoginsPerSecond: 3 } })
  const guess = () => started.call('GET', '/v1/tasks', { key: `trp_${'B'.repeat(43)}` })
  const statuses = (await Promise.all(Array.from({ length: MANY }, guess))).map((answer) => answer.status)
  assert.ok(statuses.filter((status) => status === 401).length >= 3 && statuses.includes(429), String(statuses))
  assert.equal((await started.call('GET', '/v1/tasks')).status, 200)
})

test('behind a known proxy guesses are counted for the caller’s address; a caller who only claims to be a proxy is not believed', async () => {
  const guesses = async (trustedProxies: string[]) => {
    await using started = await startGateway({ config: { failedLoginsPerSecond: 3, trustedProxies } })
    const guess = (_: unknown, number: number) =>
      started.call('GET', '/v1/tasks', {
        key: `trp_${'B'.repeat(43)}`,
        headers: { 'x-forwarded-for': `203.0.113.${number}` },
      })
    return (await Promise.all(Array.from({ length: MANY }, guess))).map((answer) => answer.status)
  }
  assert.deepEqual(new Set(await guesses(['127.0.0.0/8', '::1'])), new Set([401]))
  assert.ok((await guesses([])).includes(429))
  assert.ok((await guesses(['192.0.2.1'])).includes(429))
})

test('a tenant’s quota of tasks ends with 429 and the time it is renewed', async () => {
  await using started = await startGateway()
  const key = await started.key('submitter', 'small')
  const set = await started.call('PUT', '/v1/quotas/small', { body: { tasksPerDay: 2 } })
  assert.equal(set.status, 200)
  const submit = () => started.call('POST', '/v1/tasks', { key, body: { agent: 'echo', input: 1 } })
  assert.deepEqual([(await submit()).status, (await submit()).status], [202, 202])
  const refused = await submit()
  assert.deepEqual([refused.status, refused.json.code], [429, 'quota_exceeded'])
  assert.ok(Number(refused.headers.get('retry-after')) <= 86_400)
  const usage = await started.call('GET', '/v1/usage', { key })
  assert.deepEqual([usage.json.usage.tasks, usage.json.quota], [2, { tasksPerDay: 2 }])
})

test('the platform’s admin reads every tenant’s quota, page by page; nobody else reads any', async () => {
  await using started = await startGateway()
  for (const [tenant, quota] of [
    ['b', { tokensPerMonth: 9 }],
    ['a', { tasksPerDay: 2 }],
    ['c', {}],
  ] as const) {
    await started.call('PUT', `/v1/quotas/${tenant}`, { body: quota })
  }
  const read = async (path: string, key = started.adminKey) => (await started.call('GET', path, { key })).json
  const first = await read('/v1/quotas?limit=1')
  assert.deepEqual(first.quotas, [{ tenant: 'a', quota: { tasksPerDay: 2 } }])
  const rest = await read(`/v1/quotas?cursor=${first.nextCursor}`)
  assert.deepEqual(rest, { quotas: [{ tenant: 'b', quota: { tokensPerMonth: 9 } }] }, 'one without a bound has none')
  assert.deepEqual([await read('/v1/quotas/b'), await read('/v1/quotas/unheard-of')], [{ tokensPerMonth: 9 }, {}])
  const admin = await started.key('admin', 'a')
  for (const path of ['/v1/quotas', '/v1/quotas/a']) assert.equal((await read(path, admin)).code, 'forbidden')
})

test('a tenant over its money or tokens of the month gets no new task', async () => {
  await using started = await startGateway()
  const key = await started.key('submitter', 'spender')
  const { json: task } = await started.call('POST', '/v1/tasks', { key, body: { agent: 'echo', input: 1 } })
  const loaded = await started.journal.load(task.id)
  await started.journal.keepLease({ hostId: 'host_test', info: {}, leaseMs: 60_000 })
  await started.journal.commit({
    taskId: task.id,
    epoch: loaded!.task.epoch,
    version: loaded!.task.version,
    lastEvent: loaded!.task.lastEvent,
    claim: { hostId: 'host_test' },
    state: 'completed',
    release: true,
    events: [{ type: 'task.completed' }],
    usage: { inputTokens: 600, outputTokens: 500, costMicros: 70_000 },
  })
  const submitWith = async (quota: object) => {
    await started.call('PUT', '/v1/quotas/spender', { body: quota })
    return (await started.call('POST', '/v1/tasks', { key, body: { agent: 'echo', input: 1 } })).status
  }
  assert.equal(await submitWith({ tokensPerMonth: 1_000 }), 429)
  assert.equal(await submitWith({ costMicrosPerMonth: 70_000 }), 429)
  assert.equal(await submitWith({ tokensPerMonth: 1_200, costMicrosPerMonth: 70_001 }), 202)
})

test('two gateways on one Redis share a key’s rate', { skip: missing('redis') }, async () => {
  const redis = await startRedis()
  const [one, two] = [
    await createRates({ ...bounds, redisUrl: redis.url }),
    await createRates({ ...bounds, redisUrl: redis.url }),
  ]
  // Until both are connected, each counts for itself.
  await settled(
    () => one.take(someone('t', 'warm')),
    () => !one.status().resting,
  )
  await settled(
    () => two.take(someone('t', 'warm')),
    () => !two.status().resting,
  )
  // On a busy machine Redis may be too late, or a second may end in between: then each has counted for itself.
  let tries = 0
  const refused = async () => {
    const anew = someone(`tenant_${++tries}`, `key_${tries}`)
    return (await refusals(() => one.take(anew), 2)) + (await refusals(() => two.take(anew), 2))
  }
  await eventually('the fourth request is refused', async () => (await refused()) === 1)
  await one.close()
  await two.close()
  await redis.stop()
})

test('a Redis that hangs costs a request no more than its patience, one that is dead nothing', {
  skip: missing('redis') || (process.env.TROUPE_TEST_REDIS_URL === undefined ? false : 'the Redis is not ours to stop'),
}, async () => {
  const redis = await startRedis()
  const rates = await createRates({ ...bounds, redisUrl: redis.url })
  await settled(
    () => rates.take(someone('t', 'warm')),
    () => !rates.status().resting,
  )
  const timed = async (id: string) => {
    const began = performance.now()
    const refused = await refusals(() => rates.take(someone('hung', id)), 4)
    return { refused, ms: performance.now() - began }
  }
  process.kill(redis.pid!, 'SIGSTOP')
  const hung = await timed('one')
  process.kill(redis.pid!, 'SIGCONT')
  assert.equal(hung.refused, 1, 'memory did not count')
  assert.ok(hung.ms < HELD_MS, `a hanging Redis held requests for ${hung.ms} ms`)
  await redis.down('kill')
  const dead = await timed('two')
  assert.ok(dead.ms < HELD_MS, `a dead Redis held requests for ${dead.ms} ms`)
  await rates.close()
  await redis.stop()
})

async function settled(attempt: () => Promise<void> | undefined, isSettled: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  do {
    await attempt()?.catch(() => {})
    if (isSettled()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  } while (Date.now() < deadline)
}
