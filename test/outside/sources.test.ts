// Named databases: what a task may read of them, on a real Postgres.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { createSources, readSources, type SourceSettings } from '../../src/outside/index.ts'
import { freePort } from '../support/server-process.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'

const skip = missing('postgres')
let server: TestServer
let admin: pg.Client
let limits: SourceSettings

before(async () => {
  if (skip !== false) return
  server = await startPostgres()
  admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query(`
    CREATE TABLE orders (id int, region text, day date, amount numeric(10,2), paid bool, at timestamptz, big int8);
    INSERT INTO orders VALUES (1, 'north', '2024-01-02', 12.50, true, '2024-01-02 03:04:05+00', 9007199254740993),
      (2, NULL, NULL, NULL, NULL, NULL, 7);
    CREATE SEQUENCE numbers;
    CREATE FUNCTION sneaky() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM orders; RETURN 1; END'`)
  limits = { url: server.url, seconds: 2, rows: 10_000, megabytes: 4 }
})
after(async () => {
  await admin?.end()
  await server?.stop()
})

function ask(sql: string, settings: Partial<SourceSettings> = {}, signal = new AbortController().signal) {
  const sources = createSources({ shop: { ...limits, ...settings } })
  return sources({ tenant: 'acme', signal }).query('shop', sql)
}

async function backends(): Promise<number> {
  const { rows } = await admin.query(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'troupe-source'`,
  )
  return rows[0].n
}

async function untilNoBackend(): Promise<void> {
  const until = performance.now() + 10_000
  while ((await backends()) > 0) assert.ok(performance.now() < until, 'a backend of the source is still there')
}

test('a SELECT comes back with its types: numbers, dates as ISO text, what would lose digits as text', {
  skip,
}, async () => {
  const { columns, rows } = await ask('SELECT * FROM orders ORDER BY id -- all;')
  assert.deepEqual(columns, ['id', 'region', 'day', 'amount', 'paid', 'at', 'big'])
  assert.deepEqual(rows[0], {
    id: 1,
    region: 'north',
    day: '2024-01-02',
    amount: 12.5,
    paid: true,
    at: '2024-01-02T03:04:05+00:00',
    big: '9007199254740993',
  })
  assert.deepEqual(rows[1], { id: 2, region: null, day: null, amount: null, paid: null, at: null, big: 7 })
})

test('columns of the same name are all kept', { skip }, async () => {
  const { rows } = await ask('SELECT a.id, b.id FROM orders a JOIN orders b ON a.id = b.id + 1')
  assert.deepEqual(rows, [{ id: 2, id_2: 1 }])
})

test('SQL that writes, in whatever dress, is refused and changes nothing', { skip }, async () => {
  const writing = [
    'DELETE FROM orders',
    'INSERT INTO orders (id) VALUES (3) RETURNING id',
    'WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone',
    'SELECT sneaky()',
    'SELECT 1; DELETE FROM orders',
    'SELECT 1; COMMIT; DELETE FROM orders',
    'SELECT id INTO copy FROM orders',
    'SELECT id FROM orders FOR UPDATE',
    "SELECT set_config('transaction_read_only', 'off', false), sneaky()",
    'CREATE TABLE mine (id int)',
    "DO 'BEGIN DELETE FROM orders; END'",
    "COPY orders TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/troupe-copied'",
    'VACUUM',
    "SELECT nextval('numbers')",
    '',
    'EXPLAIN ANALYZE DELETE FROM orders',
  ]
  for (const sql of writing) await assert.rejects(ask(sql), { code: 'query_refused' }, sql)
  // Older servers let a read-only transaction make a large object; it goes with the transaction.
  await ask('SELECT lo_create(4711)').catch(() => {})
  const { rows } = await admin.query(
    'SELECT (SELECT count(*)::int FROM orders) AS n, (SELECT count(*)::int FROM pg_largeobject_metadata) AS objects',
  )
  assert.deepEqual(rows[0], { n: 2, objects: 0 })
})

test('what one query sets does not reach the next', { skip }, async () => {
  await ask("SELECT set_config('statement_timeout', '0', false), set_config('timezone', 'Asia/Tokyo', false)")
  const { rows } = await ask("SELECT current_setting('timezone') AS zone")
  assert.deepEqual(rows, [{ zone: 'UTC' }])
})

test('a query that never ends is ended at its time, on the server too', { skip }, async () => {
  const one = { seconds: 0.5 }
  await assert.rejects(ask('SELECT count(*) FROM generate_series(1, 1000000000000) AS n', one), {
    code: 'limit_exceeded',
  })
  await assert.rejects(ask('WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT count(*) FROM r', one), {
    code: 'limit_exceeded',
  })
  await untilNoBackend()
})

test('a query that trickles its rows for ever is ended as well', { skip }, async () => {
  const trickling = 'SELECT pg_sleep(0.0002) FROM generate_series(1, 100000000)'
  await assert.rejects(ask(trickling, { seconds: 0.5, rows: 5_000_000 }), { code: 'limit_exceeded' })
  await untilNoBackend()
})

test('an abort ends the query on the server', { skip }, async () => {
  const stop = new AbortController()
  const asked = ask('SELECT pg_sleep(60)', { seconds: 60 }, stop.signal)
  const until = performance.now() + 10_000
  while ((await backends()) === 0) assert.ok(performance.now() < until)
  stop.abort(new Error('enough'))
  await assert.rejects(asked, { message: 'enough' })
  await untilNoBackend()
})

test('more rows or more bytes than the limits is an error that says so, not half of an answer', { skip }, async () => {
  await assert.rejects(ask('SELECT n FROM generate_series(1, 10001) AS n'), {
    code: 'limit_exceeded',
    message: /10000 rows; add up or filter/,
  })
  assert.equal((await ask('SELECT n FROM generate_series(1, 10000) AS n')).rows.length, 10_000)
  const before = process.memoryUsage.rss()
  await assert.rejects(ask("SELECT repeat('x', 1000000) AS wide FROM generate_series(1, 2000)"), {
    code: 'limit_exceeded',
    message: /4 MB/,
  })
  const grown = (process.memoryUsage.rss() - before) / 1024 / 1024
  assert.ok(grown < 600, `memory grew by ${grown} MB`)
})

test('credentials that do not open the source are told without being shown', { skip }, async () => {
  const url = server.url.replace('postgres@', 'nobody-knows-me:hunter2@')
  await assert.rejects(ask('SELECT 1', { url }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'configuration_invalid')
    assert.doesNotMatch(error.message, /hunter2|127\.0\.0\.1/)
    return true
  })
})

test('a source that is not there is unavailable, so that the step tries again', { skip }, async () => {
  const url = `postgres://reader:hunter2@127.0.0.1:${await freePort()}/shop`
  await assert.rejects(ask('SELECT 1', { url }), (error: Error & { code: string; passing: boolean }) => {
    assert.equal(error.code, 'unavailable')
    assert.equal(error.passing, true)
    assert.doesNotMatch(error.message, /hunter2/)
    return true
  })
})

test('a source belongs to its tenants; for others it does not exist', async () => {
  const url = 'postgres://reader:hunter2@127.0.0.1:1/shop'
  const shop = { url, seconds: 1, rows: 1, megabytes: 1, tenants: ['acme'] }
  const sources = createSources({ shop })
  const { signal } = new AbortController()
  const message = 'There is no source shop; there is none.'
  await assert.rejects(sources({ tenant: 'other', signal }).query('shop', 'SELECT 1'), { code: 'not_found', message })
  await assert.rejects(sources({ tenant: 'acme', signal }).query('constructor', 'SELECT 1'), {
    code: 'not_found',
    message: 'There is no source constructor; there is shop.',
  })
})

test('a file of sources that is wrong is refused at the start, without showing what it holds', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-sources-'))
  const file = join(folder, 'sources.json')
  try {
    await writeFile(file, '{"shop": {"url": "postgres://reader:hunter2@host/shop", "seconds": 5}}')
    assert.equal(readSources(file).shop?.rows, 500_000)
    for (const [content, message] of [
      ['{"shop": {"url": "mysql://reader:hunter2@host/shop"}}', /shop\.url/],
      ['{"shop": {"url": "postgres://a:hunter2@b/c", "second": 5}}', /shop/],
      ['{"Shop!": {"url": "postgres://a:hunter2@b/c"}}', /Shop!/],
      ['{"shop": {"url": "hunter2', /is not JSON/],
    ] as const) {
      await writeFile(file, content)
      assert.throws(
        () => readSources(file),
        (error: Error & { code: string }) => {
          assert.equal(error.code, 'configuration_invalid')
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /hunter2/)
          return true
        },
      )
    }
    assert.throws(() => readSources(join(folder, 'missing.json')), { code: 'configuration_invalid' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
