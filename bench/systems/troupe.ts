// Troupe in one process: desk, in-process bus, host, and the journal on SQLite or Postgres. fsync is on.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { z } from 'zod'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import { createDesk, type Desk } from '../../src/desk/desk.ts'
import { createHost } from '../../src/host/host.ts'
import { type Observe, unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import { defineAgent } from '../../src/sdk/index.ts'
import { startPostgres } from '../../test/support/servers.ts'
import type { Subject } from '../measure.ts'
import { sleeper } from './sleeper.ts'

const number = z.object({ n: z.number() })
/** Room for every caller and every child: the peers get as much concurrency as they are given load. */
const concurrency = 256

export const benchAgents = [
  defineAgent({
    name: 'noop',
    version: '1.0.0',
    description: 'Returns its input',
    input: number,
    output: number,
    concurrency,
    run: async (ctx) => ({ n: ctx.input.n }),
  }),
  defineAgent({
    name: 'three-steps',
    version: '1.0.0',
    description: 'Three recorded steps',
    input: number,
    output: number,
    concurrency,
    run: async (ctx) => {
      let n = ctx.input.n
      for (const id of ['one', 'two', 'three']) n = await ctx.step(id, async () => n + 1)
      return { n }
    },
  }),
  defineAgent({
    name: 'ask',
    version: '1.0.0',
    description: 'Asks the noop agent',
    input: number,
    output: number,
    concurrency,
    run: async (ctx) => await ctx.ask('child', 'noop', ctx.input),
  }),
  sleeper,
]

export const TENANT = 'bench'

export interface Stage {
  desk: Desk
  journal: Journal
  submitAndWait(agent: string): Promise<void>
  /** Resolves when `count` more tasks have ended. */
  ended(count: number): Promise<void>
  /** On Postgres: one durable row on the same server, as plainly as it can be had. */
  commitOnce?(): Promise<void>
  close(): Promise<void>
}

export async function openTroupe(store: 'sqlite' | 'postgres', observe: Observe = unobserved): Promise<Stage> {
  const opened = store === 'sqlite' ? await openSqlite() : await openPostgres()
  const bus = createInProcessBus()
  const agents = new AgentRegistry(benchAgents)
  const host = createHost({
    journal: opened.journal,
    bus,
    agents,
    makeContext: contextMaker(absentServices),
    observe,
    onTrouble: (what, error) => console.error(what, error),
  })
  await host.start()
  const desk = createDesk({ journal: opened.journal, bus, agents })
  const waiting = new Map<string, () => void>()
  // Ended before its submission returned: accept and first turn share a commit.
  const early = new Set<string>()
  const counters = new Set<() => void>()
  const stop = bus.follow(TENANT, undefined, (events) => {
    for (const { task, body } of events) {
      if (body.type !== 'task.completed') {
        if (body.type === 'task.failed') throw new Error(`${task} failed: ${body.error.message}`)
        continue
      }
      const resolve = waiting.get(task)
      if (resolve === undefined) early.add(task)
      else resolve()
      waiting.delete(task)
      for (const count of counters) count()
    }
  })
  return {
    desk,
    journal: opened.journal,
    ...(opened.commitOnce === undefined ? {} : { commitOnce: opened.commitOnce }),
    async submitAndWait(agent) {
      const { task } = await desk.submit({ tenant: TENANT, agent, input: { n: 1 } })
      if (!early.delete(task.id)) await new Promise<void>((resolve) => waiting.set(task.id, resolve))
    },
    ended: (count) =>
      new Promise((resolve) => {
        let left = count
        const down = () => {
          left -= 1
          if (left > 0) return
          counters.delete(down)
          resolve()
        }
        counters.add(down)
      }),
    async close() {
      stop()
      await host.stop()
      await bus.close()
      await opened.close()
    },
  }
}

export async function troupeSubject(workload: string, store: 'sqlite' | 'postgres'): Promise<Subject> {
  const stage = await openTroupe(store)
  const { commitOnce } = stage
  const run = () => stage.submitAndWait(workload)
  return { run, close: () => stage.close(), ...(commitOnce === undefined ? {} : { commitOnce }) }
}

type Opened = Pick<Stage, 'journal' | 'commitOnce' | 'close'>

async function openSqlite(): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-bench-'))
  const journal = await openSqliteJournal({ folder })
  return {
    journal,
    async close() {
      await journal.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function openPostgres(): Promise<Opened> {
  const { openPostgresJournal } = await import('../../src/journal/postgres/index.ts')
  const server = await startPostgres()
  const journal = await openPostgresJournal({ url: server.url })
  const bare = new pg.Client({ connectionString: server.url })
  await bare.connect()
  await bare.query('CREATE TABLE bare (id bigserial PRIMARY KEY, value text NOT NULL)')
  const insert = { name: 'bare', text: 'INSERT INTO bare (value) VALUES ($1)', values: ['x'.repeat(200)] }
  return {
    journal,
    async commitOnce() {
      await bare.query(insert)
    },
    async close() {
      await bare.end()
      await journal.close()
      await server.stop()
    },
  }
}
