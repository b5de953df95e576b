// From the settings to a task's result: a database and an address, through the parts of an installation.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { hostOf, openParts } from '../../src/boot/parts.ts'
import { readSettings } from '../../src/boot/settings.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { missing, startPostgres } from '../support/servers.ts'

const TENANT = 'acme'

async function withTroupe(
  settings: Record<string, string>,
  use: (run: (agent: string, input: unknown) => Promise<{ state: string; text: string }>) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-outside-'))
  const parts = await openParts(readSettings({ TROUPE_DATA: folder, TROUPE_LOG: 'silent', ...settings }), 'test')
  const host = hostOf(parts, 'test')
  try {
    await host.start()
    const desk = createDesk({ journal: parts.stores.journal, bus: parts.stores.bus, agents: parts.agents })
    await use(async (agent, input) => {
      const { task } = await desk.submit({ tenant: TENANT, agent, input })
      for await (const _ of desk.follow(TENANT, task.id, 0, AbortSignal.timeout(60_000))) {
        // The log ends with the task.
      }
      const { state, output, error } = await desk.get(TENANT, task.id)
      return { state, text: JSON.stringify(error ?? output) }
    })
  } finally {
    await host.drain(5_000)
    await parts.close()
    await rm(folder, { recursive: true, force: true })
  }
}

test('a question to a database of TROUPE_SOURCES is answered, and its credentials stand nowhere in the task', {
  skip: missing('postgres'),
}, async () => {
  const server = await startPostgres()
  const folder = await mkdtemp(join(tmpdir(), 'troupe-sources-'))
  try {
    const admin = new pg.Client({ connectionString: server.url })
    await admin.connect()
    await admin.query(`CREATE TABLE sales AS SELECT date '2023-01-01' + n AS day, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END AS region,
      (100 + n)::numeric(10,2) AS revenue FROM generate_series(0, 199) AS n`)
    await admin.query("CREATE ROLE reader LOGIN PASSWORD 'hunter2'; GRANT SELECT ON sales TO reader")
    await admin.end()
    const url = new URL(server.url)
    url.username = 'reader'
    url.password = 'hunter2'
    const file = join(folder, 'sources.json')
    await writeFile(file, JSON.stringify({ shop: { url: url.href, tenants: [TENANT] } }))
    await withTroupe({ TROUPE_SOURCES: file }, async (run) => {
      const few = { charts: 0, report: [], forecastPeriods: 0, question: 'total revenue by region' }
      const { state, text } = await run('business-intelligence', {
        dataset: { source: 'shop', sql: 'SELECT day, region, revenue FROM sales ORDER BY day' },
        ...few,
      })
      assert.equal(state, 'completed', text)
      assert.match(text, /"region":"south","total_revenue":20000/)
      assert.match(text, /"origin":\{"source":"shop",.*"rows":200/)
      assert.doesNotMatch(text, /hunter2|127\.0\.0\.1/)
      const written = await run('quality-assurance', {
        dataset: { source: 'shop', sql: 'DELETE FROM sales RETURNING 1' },
      })
      assert.equal(written.state, 'failed')
      assert.match(written.text, /query_refused/)
    })
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('a document at an address of TROUPE_DOCUMENT_URLS_PRIVATE is analysed; without the setting it is refused', async () => {
  const server = createServer((_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/plain' })
      .end('Ada Lovelace signed the lease in London on 12 March 2025.')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    await withTroupe({ TROUPE_DOCUMENT_URLS_PRIVATE: `${base}/leases/` }, async (run) => {
      const { state, text } = await run('document-analyzer', { document: { url: `${base}/leases/1.txt` } })
      assert.equal(state, 'completed', text)
      assert.match(text, /"name":"1\.txt"/)
      assert.match(text, /2025-03-12/)
      assert.match((await run('document-analyzer', { document: { url: `${base}/other.txt` } })).text, /address_refused/)
    })
    await withTroupe({ TROUPE_DOCUMENT_URLS: base }, async (run) => {
      const { text } = await run('document-analyzer', { document: { url: `${base}/leases/1.txt` } })
      assert.match(text, /address_refused.*not a public address/)
    })
  } finally {
    server.close()
  }
})
