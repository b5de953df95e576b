// The thread of sqlite-audit.ts: chains and writes the entries of the audit trail, one batch at a time.
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { toErrorRecord } from '../../contract/errors.ts'
import { storeError } from '../../journal/sqlite/database.ts'
import { type AuditDraft, type AuditEntry, CHAIN_START, chainAfter } from '../audit/chain.ts'
import type { Answer } from './sqlite-audit.ts'

/** Many rows in one call: crossing into SQLite costs as much as writing a row. */
const ROWS = 50

const port = parentPort!
const file = workerData as string
const database = new DatabaseSync(file)
database.exec('PRAGMA busy_timeout = 5000')
const last = database.prepare('SELECT entry FROM audit ORDER BY number DESC LIMIT 1')
const insertOne = database.prepare('INSERT INTO audit VALUES (?, ?, ?)')
const insertMany = database.prepare(`INSERT INTO audit VALUES ${Array(ROWS).fill('(?, ?, ?)').join(', ')}`)

function append(drafts: AuditDraft[], durable: boolean): void {
  // In WAL mode NORMAL leaves the fsync to the next commit in FULL mode, which syncs all of the log before it.
  database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}; BEGIN IMMEDIATE`)
  try {
    const newest = last.get() as { entry: string } | undefined
    let head = newest === undefined ? { number: 0, hash: CHAIN_START } : (JSON.parse(newest.entry) as AuditEntry)
    const rows = drafts.map((draft) => {
      const entry = chainAfter(head, draft)
      head = entry
      return [entry.number, entry.tenant, JSON.stringify(entry)]
    })
    const inMany = rows.length - (rows.length % ROWS)
    for (let at = 0; at < inMany; at += ROWS) insertMany.run(...rows.slice(at, at + ROWS).flat())
    for (const row of rows.slice(inMany)) insertOne.run(...row)
    database.exec('COMMIT')
  } catch (error) {
    // A full disk has ended the transaction already; a second error would hide the first.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

port.on('message', (order: { drafts: string; durable: boolean } | 'close') => {
  if (order === 'close') {
    database.close()
    port.close()
    return
  }
  try {
    append(JSON.parse(order.drafts) as AuditDraft[], order.durable)
    port.postMessage({ written: true } satisfies Answer)
  } catch (error) {
    port.postMessage({ written: false, error: toErrorRecord(storeError(error, file)) } satisfies Answer)
  }
})
