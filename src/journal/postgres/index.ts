// The journal of many hosts: Postgres.
//   index.ts            this file: the port's verbs
//   gathering.ts        group commit: what comes while flights are under way goes with the next one
//   lane.ts             one connection that carries flights; lost answers are looked up
//   lone.ts             a flight that concerns one task takes a shorter way; lone-statements.ts has its SQL
//   statement.ts        a statement as a lane asks it: one write, answered by the commit (P1)
//   flush.ts            a flight as parameters of apply_6, made of flight-rows.ts
//   outcomes.ts         where the outcome of a step is kept, and how it is read back (P3)
//   answers.ts          its answer, given back to each caller
//   apply-function.ts   the hot path inside Postgres: one round trip applies a flush (P1 P2 P3 P4 P6)
//   draft.ts            a statement that is put together of what it needs
//   known-again.ts      what a lone statement did whose answer was lost, recognised by the function
//   sweep-functions.ts  mail, timers and orphans inside Postgres (P4 P5)
//   sweeps.ts           timers, leases, orphans, purge, reopen
//   leases.ts           until when this process's hosts hold theirs
//   erasing.ts          tasks that somebody wants gone
//   reads.ts            load, get, list, events, sums
//   newest.ts           how far a task has come, which of one that runs only its log knows
//   labels.ts           labels of tasks, and the callbacks of poisoned ones
//   copy.ts             whole tables out and in, for backups
//   gathered.ts         reads of one moment become one query
//   blobs.ts            the blob store for documents and large values
//   schema.ts           tables and migrations
//   connection.ts       how connections are made, and made again
//   readers.ts          the pool for all that is not the hot path
//   presence.ts         whether a database holds a journal, without making one
//   errors.ts           what an error means for who asked
import { TroupeError } from '../../contract/errors.ts'
import { LEASE_MS } from '../../contract/limits.ts'
import type { BlobStore } from '../blobs.ts'
import type { Accepted, Journal } from '../journal.ts'
import {
  type PreparedTask,
  prepareCommit,
  prepareMessage,
  prepareTask,
  spillCommit,
  spillMessage,
  spillTask,
} from '../prepare.ts'
import { postgresBlobs, VALUE_SPACE } from './blobs.ts'
import type { Address } from './connection.ts'
import { erasing } from './erasing.ts'
import type { AcceptAnswer } from './flush.ts'
import { Gathering } from './gathering.ts'
import { Lane } from './lane.ts'
import { Leases } from './leases.ts'
import { openReaders, type Readers } from './readers.ts'
import { reads } from './reads.ts'
import { migrate } from './schema.ts'
import { sweeps } from './sweeps.ts'

export interface PostgresOptions {
  url: string
  /** One Troupe in one schema. */
  schema?: string
  /** Connections that write, each with its own flight under way; default 2. */
  lanes?: number
  /** Connections that read. */
  pool?: number
  /** How long a call waits for a database that does not answer before it fails as `journal_unavailable`. */
  patienceMs?: number
}

export async function openPostgresJournal(options: PostgresOptions): Promise<Journal> {
  const { address, readers, closing } = await connect(options)
  const blobs = postgresBlobs(readers, VALUE_SPACE)
  const reading = reads(readers, blobs)
  // Its connection is given up much earlier than others: renewals would queue behind one that is never answered.
  const hasty = { ...address, patienceMs: Math.min(address.patienceMs, LEASE_MS) }
  const renewals = openReaders(hasty, 1, closing.signal)
  const leases = new Leases()
  const sweeping = sweeps(readers, renewals, leases)
  const { erase, forgetErased } = erasing(readers)
  const lanes = Array.from({ length: options.lanes ?? 2 }, () => new Lane(address, leases, closing.signal))
  const gathering = new Gathering(lanes, closing.signal)

  /** Who used the id or the key first. */
  async function earlier({ task }: PreparedTask): Promise<Accepted> {
    const { id, tenant, idempotencyKey, requestHash = null } = task
    let taskId = id
    if (idempotencyKey !== undefined) {
      const used = await reading.byKey(tenant, idempotencyKey)
      if (used !== undefined && used.requestHash !== requestHash) {
        throw new TroupeError(
          'idempotency_conflict',
          `the key ${JSON.stringify(idempotencyKey)} was used with a different request`,
        )
      }
      if (used !== undefined) taskId = used.taskId
    }
    const row = await reading.get(taskId)
    if (row === undefined)
      throw new TroupeError('journal_unavailable', `${taskId} was purged in this moment; try again`)
    return { task: row, created: false }
  }

  return {
    inOrder: true,
    async accept(task) {
      const prepared = prepareTask(task)
      const spilled = spillTask(prepared, blobs)
      if (spilled !== undefined) await spilled
      const answer = await new Promise<AcceptAnswer>((resolve, reject) => {
        gathering.put({ kind: 'accept', prepared, resolve, reject })
      })
      return 'existing' in answer ? earlier(prepared) : answer
    },
    commit(actorCommit) {
      // One promise and no other: a commit that has a disk for itself waits for each of them.
      return new Promise((resolve, reject) => {
        const prepared = prepareCommit(actorCommit)
        const spilled = spillCommit(prepared, blobs)
        const put = () => gathering.put({ kind: 'commit', prepared, resolve, reject })
        if (spilled === undefined) put()
        else spilled.then(put).catch(reject)
      })
    },
    async deliver(message) {
      const prepared = prepareMessage(message)
      const spilled = spillMessage(prepared, blobs)
      if (spilled !== undefined) await spilled
      return new Promise((resolve, reject) => {
        gathering.put({ kind: 'deliver', prepared, resolve, reject })
      })
    },
    load: (taskId) => reading.load(taskId),
    get: (taskId, tenant) => reading.get(taskId, tenant),
    list: (query) => reading.list(query),
    events: (taskId, after, limit) => reading.events(taskId, after, limit),
    heads: (taskIds) => reading.heads(taskIds),
    counts: () => reading.counts(),
    usage: (tenant, since) => reading.usage(tenant, since),
    ...sweeping,
    erase,
    async purge(endedBefore, limit) {
      await forgetErased(endedBefore)
      return await sweeping.purge(endedBefore, limit)
    },
    async close() {
      closing.abort()
      await gathering.close()
      await blobs.close()
      await Promise.all([renewals.close(), readers.close()])
    },
  }
}

/** Documents beside the journal, in the same database. */
export async function openPostgresBlobs(options: PostgresOptions & { space: string }): Promise<BlobStore> {
  const { readers, closing } = await connect(options)
  const blobs = postgresBlobs(readers, options.space)
  return {
    ...blobs,
    async close() {
      closing.abort()
      await readers.close()
    },
  }
}

/** A wrong address is told to whoever starts a process, while he still looks. */
const START_MS = 4_000

async function connect(
  options: PostgresOptions,
): Promise<{ address: Address; readers: Readers; closing: AbortController }> {
  const { url, schema = 'troupe', pool = 4, patienceMs = 10_000 } = options
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new TroupeError('configuration_invalid', `${JSON.stringify(schema)} is not the name of a schema`)
  }
  if (!/^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new TroupeError('configuration_invalid', 'the address of Postgres does not begin with postgres://')
  }
  const address: Address = { url, schema, patienceMs }
  const closing = new AbortController()
  const readers = openReaders(address, pool, closing.signal)
  try {
    await readers.withClient((client) => migrate(client, schema), Math.min(patienceMs, START_MS))
    return { address, readers, closing }
  } catch (thrown) {
    closing.abort()
    // Not awaited: a connection that a silent server has not answered closes only when its own patience ends.
    readers.close().catch(() => {})
    throw thrown
  }
}
