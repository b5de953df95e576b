// Among 100,000 tasks a list by labels walks an index and sorts nothing.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { TaskQuery } from '../../src/journal/journal.ts'
import { openPostgresJournal } from '../../src/journal/postgres/index.ts'
import { LABELS_OF_TASKS } from '../../src/journal/postgres/labels.ts'
import { listing } from '../../src/journal/postgres/reads.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { listQueries } from '../../src/journal/sqlite/lists.ts'
import { missing, startPostgres, type TestServer } from '../support/servers.ts'

const TASKS = 100_000
const SAME = ['team:data']
const ONE_IN_200 = ['customer:c7']
const QUERIES: TaskQuery[] = [
  { tenant: 'acme', labels: SAME, limit: 50 },
  { tenant: 'acme', labels: ONE_IN_200, limit: 50 },
  { tenant: 'acme', labels: [...SAME, ...ONE_IN_200], limit: 50 },
  { tenant: 'acme', labels: ONE_IN_200, states: ['completed'], limit: 50 },
  { tenant: 'acme', labels: SAME, states: ['failed', 'running'], limit: 50 },
]

test('on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-labels-'))
  const journal = await openSqliteJournal({ folder })
  const db = new DatabaseSync(join(folder, 'journal.db'))
  db.exec(`
    WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ${TASKS})
    INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, ended_at, depth, input, metadata)
    SELECT format('task_%026d', value), 'acme', 'a', '1', 'completed', 'normal', value / 10, 0, 1, 0, 'null',
      json_array(null, json_object('team', 'data', 'customer', 'c' || (value % 200)), json_array()) FROM n;
    INSERT INTO labels SELECT tenant, key || ':' || value, created_at, tasks.id FROM tasks, json_each(metadata, '$[1]')`)
  try {
    for (const query of QUERIES) {
      for (const { sql, values } of listQueries(db, query)) {
        const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values, 51)
        const steps = plan.map(({ detail }) => String(detail))
        const of = `${JSON.stringify(query)}: ${steps.join('; ')}`
        assert.ok(!steps.some((step) => /^SCAN (labels|tasks)$/.test(step)), of)
        if (query.states?.includes('failed') !== true) {
          assert.ok(!steps.some((step) => step.includes('TEMP B-TREE')), of)
          assert.match(steps[0]!, /SEARCH labels USING PRIMARY KEY \(whose=\? AND label=\?\)/)
        }
      }
      const began = performance.now()
      const { tasks } = await journal.list(query)
      const took = performance.now() - began
      assert.equal(tasks.length, query.states?.includes('failed') ? 0 : 50)
      assert.ok(took < 1_000, `${JSON.stringify(query)} took ${took} ms`)
    }
    const rare = [...SAME, ...ONE_IN_200]
    const [first] = listQueries(db, { tenant: 'acme', labels: rare, limit: 50 })
    assert.deepEqual(first?.values.slice(0, 2), ['acme', 'customer:c7'], 'the rarest label leads')
  } finally {
    db.close()
    await journal.close()
    await rm(folder, { recursive: true })
  }
})

describe('on Postgres', { skip: missing('postgres') }, () => {
  let server: TestServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.stop())

  test('the same', async () => {
    const journal = await openPostgresJournal({ url: server.url, schema: 'many_labels' })
    const client = new pg.Client({ connectionString: server.url, options: '-c search_path=many_labels' })
    await client.connect()
    try {
      await client.query(`
        INSERT INTO tasks (id, tenant, agent, agent_version, state, priority, created_at, updated_at, ended_at, depth, input, metadata)
        SELECT 'task_' || lpad(n::text, 26, '0'), 'acme', 'a', '1', 'completed', 'normal', n / 10, 0, 1, 0, 'null',
          json_build_array(null, json_build_object('team', 'data', 'customer', 'c' || (n % 200)), json_build_array())
        FROM generate_series(1, ${TASKS}) AS n;
        INSERT INTO labels ${LABELS_OF_TASKS};
        INSERT INTO log (task, first_number, at, bodies) SELECT id, 2, 0, '[]' FROM tasks`)
      await client.query('ANALYZE')
      for (const query of QUERIES) {
        const began = performance.now()
        const { tasks } = await journal.list(query)
        const took = performance.now() - began
        assert.equal(tasks.length, query.states?.includes('failed') ? 0 : 50)
        assert.ok(took < 1_000, `${JSON.stringify(query)} took ${took} ms`)
        if (query.labels!.length > 1 || query.states !== undefined) continue
        const { sql, values } = listing(query, 51)
        const { rows } = await client.query(`EXPLAIN ${sql}`, values)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        assert.match(plan, /Index.* using labels_pkey on labels/, plan)
        assert.doesNotMatch(plan, /Seq Scan|Sort/, plan)
      }
    } finally {
      await client.end()
      await journal.close()
    }
  })
})
