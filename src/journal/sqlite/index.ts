// The journal of one machine without servers: node:sqlite, WAL, synchronous=FULL.
//   index.ts      this file: the port's verbs, each put into the group or read at once
//   database.ts   opens the file: lock, durability, check after a crash, coded errors
//   schema.ts     tables and migrations
//   group.ts      group commit: one transaction for all that is queued in one turn of the event loop
//   task-rows.ts  the row of a task: written at accept, and by each commit
//   fences.ts     what commits are judged by, in memory while a task has an owner
//   counters.ts   tasks by agent and state
//   accept.ts     tasks come in (P1, idempotency keys)
//   commit.ts     an actor's commit behind its fence (P2, P3, P6)
//   mail.ts       mailboxes (P4)
//   timers.ts     due timers become mail
//   leases.ts     hosts, orphans, quarantine (P5)
//   reads.ts      load, get, events, sums
//   labels.ts     labels of tasks, an index that SQLite keeps
//   lists.ts      lists by tenant, state, agent and parent
//   retention.ts  purge, erase and reopen
import { join } from 'node:path'
import { fileBlobSweep } from '../file-blob-sweep.ts'
import { openFileBlobs } from '../file-blobs.ts'
import type { Journal } from '../journal.ts'
import { prepareCommit, prepareMessage, prepareTask, spillCommit, spillMessage, spillTask } from '../prepare.ts'
import { UNNAMED_BLOB_KEPT_MS } from '../references.ts'
import { acceptance } from './accept.ts'
import { committer } from './commit.ts'
import { Counters } from './counters.ts'
import { openDatabase, VALUES_FOLDER } from './database.ts'
import { Fences } from './fences.ts'
import { CommitGroup } from './group.ts'
import { leases } from './leases.ts'
import { mailboxes } from './mail.ts'
import { reads } from './reads.ts'
import { retention } from './retention.ts'
import { taskRows } from './task-rows.ts'
import { timers } from './timers.ts'

export interface SqliteOptions {
  folder: string
  /** Milliseconds; the journal never lets it go backwards. */
  clock?: () => number
}

export async function openSqliteJournal({ folder, clock = Date.now }: SqliteOptions): Promise<Journal> {
  const { db, close } = await openDatabase(folder)
  const values = join(folder, VALUES_FOLDER)
  const blobs = await openFileBlobs({ folder: values })
  const sweep = fileBlobSweep(values)
  const rows = taskRows(db)
  const counters = new Counters(db)
  const fences = new Fences(db)
  const accepting = acceptance(db, rows, counters)
  const mail = mailboxes(db, accepting, fences)
  const timing = timers(db, mail)
  const leasing = leases(db, counters, fences, mail, accepting)
  const commit = committer(db, { rows, fences, counters, accepting, mail, isLive: leasing.isLive })
  const reading = reads(db, blobs)
  const retaining = retention(db, counters)
  const group = new CommitGroup(db, join(folder, 'journal.db'), clock, [accepting, counters, fences])

  return {
    inOrder: true,
    async accept(task) {
      const prepared = prepareTask(task)
      const spilled = spillTask(prepared, blobs)
      if (spilled !== undefined) await spilled
      return await group.run((at) => accepting.accept(prepared, at))
    },
    async commit(actorCommit) {
      const prepared = prepareCommit(actorCommit)
      const spilled = spillCommit(prepared, blobs)
      if (spilled !== undefined) await spilled
      return await group.run((at) => commit(prepared, at))
    },
    async deliver(message) {
      const prepared = prepareMessage(message)
      const spilled = spillMessage(prepared, blobs)
      if (spilled !== undefined) await spilled
      return await group.run((at) => mail.deliver(prepared, at))
    },
    async fireTimers(limit) {
      const nextDueInMs = await group.read(() => timing.nextDueInMs(group.now()))
      if (nextDueInMs === undefined || nextDueInMs > 0) return { woken: [], nextDueInMs }
      return group.run((at) => timing.fire(limit, at))
    },
    keepLease: (lease) => group.run((at) => leasing.keep(lease, at)),
    endLease: (hostId) => group.run((at) => leasing.end(hostId, at)),
    hosts: () => group.read(() => leasing.hosts(group.now())),
    async findOrphans(options) {
      if (!(await group.read(() => leasing.hasOrphans(options.unclaimedMs, group.now())))) return []
      const { wakes, poisoned } = await group.run((at) => leasing.findOrphans(options, at))
      if (options.onPoisoned !== undefined) poisoned.forEach(options.onPoisoned)
      return wakes
    },
    load: (taskId) => group.read(() => reading.load(taskId)),
    get: (taskId, tenant) => group.read(() => reading.get(taskId, tenant)),
    list: (query) => group.read(() => reading.list(query)),
    events: (taskId, after, limit) => group.read(() => reading.events(taskId, after, limit)),
    heads: (taskIds) => group.read(() => reading.heads(taskIds)),
    counts: () => group.read(() => reading.counts()),
    usage: (tenant, since) => group.read(() => reading.usage(tenant, since)),
    reopen: (taskId) => group.run((at) => retaining.reopen(taskId, at)),
    async purge(endedBefore, limit) {
      const deleted = await group.run(() => retaining.purge(endedBefore, limit))
      await sweep(Date.now() - UNNAMED_BLOB_KEPT_MS, retaining.isNamed)
      return deleted
    },
    erase: (tenant, taskIds) => group.run(() => retaining.erase(tenant, taskIds)),
    now: async () => group.now(),
    async close() {
      if (!group.close()) return
      await blobs.close()
      close()
    },
  }
}
