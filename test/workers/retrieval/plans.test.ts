// Which way the databases take: the statements that the stores really send are sent with EXPLAIN before them.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Condition } from '../../../src/workers/retrieval/metadata.ts'
import { open } from '../../../src/workers/retrieval/postgres/collections.ts'
import { type Connection, connect, type Row } from '../../../src/workers/retrieval/postgres/connection.ts'
import { lexical, nearest } from '../../../src/workers/retrieval/postgres/searches.ts'
import { write } from '../../../src/workers/retrieval/postgres/writes.ts'
import * as sqlite from '../../../src/workers/retrieval/sqlite/collections.ts'
import { Database } from '../../../src/workers/retrieval/sqlite/database.ts'
import * as embedded from '../../../src/workers/retrieval/sqlite/searches.ts'
import { write as sqliteWrite } from '../../../src/workers/retrieval/sqlite/writes.ts'
import { hashedEmbedder } from './hashed-embedder.ts'
import { type PgliteServer, startPglite } from './pglite.ts'

const DIMENSION = 16
/** A second tenant, whose passages must be in nobody's way. */
const DOCUMENTS = { acme: 10_000, umbrella: 250 }

interface Plan {
  'Node Type': string
  'Index Name'?: string
  'Relation Name'?: string
  Plans?: Plan[]
}

/** A connection whose questions of one kind are explained; the answers are thrown away. */
function explaining(connection: Connection, which: RegExp, plans: Plan[]): Connection {
  const wrapped =
    (query: Connection['query']): Connection['query'] =>
    async (sql, values) => {
      if (!which.test(sql)) return await query(sql, values)
      const [row] = await query(`EXPLAIN (FORMAT JSON) ${sql}`, values)
      plans.push((row as Row & { 'QUERY PLAN': [{ Plan: Plan }] })['QUERY PLAN'][0].Plan)
      return []
    }
  return {
    query: wrapped(connection.query),
    commit: (work) => connection.commit((query) => work(wrapped(query))),
    moment: (work) => connection.moment((query) => work(wrapped(query))),
    close: () => connection.close(),
  }
}

function nodes(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)]
}

describe('the shared store goes by its indexes', { timeout: 240_000 }, () => {
  let server: PgliteServer
  let connection: Connection
  let collection: number
  const embedder = hashedEmbedder({ dimension: DIMENSION })
  const asked = async () => (await embedder.embed(['number1234 of ships'], new AbortController().signal))[0]!

  before(async () => {
    server = await startPglite()
    connection = await connect(server.url, 1)
    for (const [tenant, count] of Object.entries(DOCUMENTS)) {
      const { id } = await open(connection, tenant, 'c', { model: 'hashed', dimension: DIMENSION })
      if (tenant === 'acme') collection = id
      for (let from = 0; from < count; from += 250) {
        const drafts = Array.from({ length: 250 }, (_, place) => {
          const number = from + place
          const text = `number${number} of ${number % 3 === 0 ? 'ships' : 'trains'} word${number % 97}`
          const hash = `${tenant} ${number}`
          const passage = { start: 0, end: text.length, text, terms: text, length: 4, hash }
          return { id: `d${number}`, title: '', metadata: { parity: number % 2 }, hash, passages: [passage] }
        })
        const texts = drafts.map(({ passages }) => passages[0]!.text)
        const vectors = await embedder.embed(texts, new AbortController().signal)
        const byHash = new Map(drafts.map(({ hash }, place) => [hash, vectors[place]!]))
        await write(connection, id, drafts, 'hashed', byHash)
      }
    }
    // What autovacuum does within a minute of an ingest; PGlite has none.
    await connection.query('VACUUM ANALYZE')
  })
  after(async () => {
    await connection?.close()
    await server?.stop()
  })

  const EVEN: Condition[] = [{ field: 'parity', comparison: 'ANY_OF', values: [0] }]

  for (const [title, filter] of [
    ['unfiltered', []],
    ['filtered by metadata', EVEN],
  ] as const) {
    test(`vectors, ${title}: HNSW of the tenant's own collection, and no passage read in sequence`, async () => {
      const plans: Plan[] = []
      await nearest(explaining(connection, /^SELECT v\.passage/, plans), collection, await asked(), 30, [...filter])
      const all = nodes(plans[0]!)
      const generation = (
        await connection.query('SELECT serving FROM troupe_retrieval.collections WHERE id = $1', [collection])
      )[0]!
      const hnsw = all.filter((node) => /^vectors_\d+_vector_idx$/.test(node['Index Name'] ?? ''))
      assert.equal(hnsw.length, 1, JSON.stringify(plans))
      assert.equal(hnsw[0]!['Index Name'], `vectors_${generation.serving}_vector_idx`)
      assert.ok(!all.some((node) => node['Node Type'] === 'Seq Scan'), JSON.stringify(plans))
      const found = await nearest(connection, collection, await asked(), 30, [...filter])
      assert.equal(found?.length, 30)
    })

    test(`words, ${title}: the postings by their index alone`, async () => {
      const plans: Plan[] = []
      const terms = ['number1234', 'ships', 'word70']
      await lexical(explaining(connection, /^WITH asked/, plans).query, collection, terms, 30, [...filter])
      const all = nodes(plans[0]!)
      const postings = all.filter((node) => node['Relation Name'] === 'postings')
      assert.ok(postings.length >= 2, JSON.stringify(plans))
      for (const node of postings)
        assert.deepEqual([node['Node Type'], node['Index Name']], ['Index Only Scan', 'postings_pkey'])
      const counts = all.filter((node) => node['Relation Name'] === 'term_counts')
      for (const node of counts) assert.match(node['Index Name'] ?? '', /^term_counts_pkey$/)
      const found = await lexical(connection.query, collection, terms, 30, [...filter])
      assert.equal(found.length, 30)
    })
  }
})

test('the embedded store looks up what it shows by number, and nothing reads a collection through', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-plans-'))
  const database = new Database(join(folder, 'retrieval.db'), false)
  t.after(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })
  const embedder = hashedEmbedder({ dimension: 16 })
  const { id } = sqlite.open(database, 'acme', 'c', { model: 'hashed', dimension: 16 })
  const text = 'number1 of ships'
  const passage = { start: 0, end: text.length, text, terms: text, length: 3, hash: 'h' }
  const [vector] = await embedder.embed([text], new AbortController().signal)
  const document = { id: 'd1', title: '', metadata: {}, hash: 'h', passages: [passage] }
  sqliteWrite(database, id, [document], 'hashed', new Map([['h', vector!]]))

  const plans: string[] = []
  const all = database.all.bind(database)
  database.all = (sql, ...values) => {
    plans.push(...all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => String(detail)))
    return all(sql, ...values)
  }
  const [found] = embedded.lexical(database, id, ['ships'], 10, [])
  assert.equal(embedded.nearest(database, id, vector!, 10, [])?.length, 1)
  assert.equal(embedded.passages(database, id, [found!.passage]).length, 1)
  embedded.sharedBy(database, id, ['h'])
  embedded.documentHashes(database, id, ['d1'])
  const byRowid = plans.filter((step) => step === 'SEARCH p USING INTEGER PRIMARY KEY (rowid=?)')
  assert.equal(byRowid.length, 2, plans.join('\n'))
  assert.ok(!plans.some((step) => /^SCAN (?!l VIRTUAL|vectors_|json_each)/.test(step)), plans.join('\n'))
  // Only who shares a text is looked for by it: all of one hash, which are few.
  assert.ok(!plans.some((step) => /passages_by_hash \(collection=\?\)/.test(step)), plans.join('\n'))
})
