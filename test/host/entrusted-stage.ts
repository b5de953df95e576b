// Gateways' desks and hosts that meet over a real nats-server, on one journal, in one process: each party has a bus of its
// own, and what a test breaks is broken between a party and its bus or journal.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import type { Bus, Entruster } from '../../src/bus/bus.ts'
import { openNatsBus } from '../../src/bus/nats/index.ts'
import { createDesk, type Desk } from '../../src/desk/desk.ts'
import { createHost, type Host } from '../../src/host/host.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import { type Agent, defineAgent } from '../../src/sdk/index.ts'
import { eventually } from '../support/eventually.ts'
import { startNats } from '../support/servers.ts'

export const TENANT = 'test'

const number = z.object({ n: z.number() })
export const echo = defineAgent({
  name: 'echo',
  version: '1.0.0',
  description: 'Returns its input',
  input: number,
  output: number,
  run: async (ctx) => ({ n: ctx.input.n }),
})
export const failing = defineAgent({
  name: 'failing',
  version: '1.0.0',
  description: 'Fails',
  input: number,
  output: number,
  restarts: { max: 0, within: '1m' },
  run: async () => {
    throw new Error('on purpose')
  },
})
export const large = defineAgent({
  name: 'large',
  version: '1.0.0',
  description: 'Returns much',
  input: number,
  output: z.string(),
  run: async () => 'x'.repeat(40_000),
})
export const submission = { tenant: TENANT, agent: 'echo', input: { n: 1 } }
export const ONCE = ['task.accepted', 'task.started', 'task.completed']

/** An agent whose step waits until it is let go. */
export function gated(concurrency = 16) {
  const runs: (() => void)[] = []
  let onRun = () => {}
  const agent = defineAgent({
    name: 'gated',
    version: '1.0.0',
    description: 'Waits to be let go',
    input: z.any(),
    output: z.any(),
    concurrency,
    run: async (ctx) =>
      await ctx.step('gate', async () => {
        await new Promise<void>((resolve, reject) => {
          runs.push(resolve)
          ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
          onRun()
        })
        return {}
      }),
  })
  const ran = (count: number) =>
    new Promise<void>((resolve) => {
      onRun = () => {
        if (runs.length >= count) resolve()
      }
      onRun()
    })
  return { agent, runs, ran, submission: { tenant: TENANT, agent: 'gated', input: {} } }
}

/** The host works, and nobody hears of it. */
export const mute = (bus: Bus): Bus => ({
  ...bus,
  publish: () => {},
  onEntrusted: (agent, version, taker) =>
    bus.onEntrusted!(agent, version, {
      ...taker,
      take: (task) => taker.take(task, { accepted() {}, refused() {}, ended() {} }),
    }),
})

interface Between {
  bus?: (bus: Bus) => Bus
  journal?: (journal: Journal) => Journal
}

export async function openStage(t: TestContext, agents: Agent[]) {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-entrusted-'))
  const [journal, nats] = await Promise.all([openSqliteJournal({ folder }), startNats()])
  const closing: (() => Promise<unknown>)[] = []
  const registry = new AgentRegistry(agents)
  const troubles: string[] = []
  /** Accepts, by who made them. */
  const accepts = { desk: 0, host: 0 }

  const counting = (who: 'desk' | 'host', made: Journal): Journal => ({
    ...made,
    accept(task) {
      accepts[who] += 1
      return made.accept(task)
    },
  })
  const entrusters: Entruster[] = []

  async function openBus(between: Between): Promise<Bus> {
    const bus = await openNatsBus({ url: nats.url })
    closing.push(() => bus.close())
    const noted: Bus = {
      ...bus,
      entruster() {
        const entruster = bus.entruster!()
        entrusters.push(entruster)
        return entruster
      },
    }
    return between.bus === undefined ? noted : between.bus(noted)
  }

  /** Every desk has heard that hosts have room for so many tasks of this agent. */
  async function heard({ name, version }: Agent, isEnough: (room: number) => boolean): Promise<void> {
    await eventually(`desks hear of room for ${name}`, () =>
      entrusters.every((entruster) => isEnough(entruster.room(name, version))),
    )
  }

  t.after(async () => {
    for (const close of closing.reverse()) await close()
    await journal.close()
    await nats.stop()
    await rm(folder, { recursive: true })
  })

  return {
    journal,
    accepts,
    troubles,
    heard,
    async openDesk(between: Between = {}): Promise<Desk> {
      const own = between.journal === undefined ? journal : between.journal(journal)
      const bus = await openBus(between)
      return createDesk({ journal: counting('desk', own), bus, agents: registry, lookAgainMs: 100 })
    },
    async startHost(between: Between = {}): Promise<Host> {
      const own = between.journal === undefined ? journal : between.journal(journal)
      const bus = await openBus(between)
      const host = createHost({
        journal: counting('host', own),
        bus,
        agents: registry,
        makeContext: contextMaker(absentServices),
        observe: unobserved,
        onTrouble: (what, error) => troubles.push(`${what}: ${String(error)}`),
      })
      closing.push(() => host.stop())
      await host.start()
      for (const agent of agents) await heard(agent, (room) => room > 0)
      return host
    },
    types: async (taskId: string) => (await journal.events(taskId, 0, 500)).map(({ body }) => body.type),
  }
}
