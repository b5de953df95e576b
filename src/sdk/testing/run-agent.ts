// runAgent: one task from input to end, on the real interpreter, journal and host, in a temporary folder.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInProcessBus } from '../../bus/in-process.ts'
import type { TaskEvent } from '../../contract/events.ts'
import type { Task } from '../../contract/task.ts'
import { createDesk, type Desk } from '../../desk/desk.ts'
import { createHost } from '../../host/host.ts'
import { unobserved } from '../../host/observe.ts'
import { contextMaker, type Services } from '../../host/services.ts'
import type { Journal } from '../../journal/journal.ts'
import { openSqliteJournal } from '../../journal/sqlite/index.ts'
import { AgentRegistry } from '../../plugins/registry.ts'
import type { Agent } from '../define-agent.ts'
import { type TestServices, testServices } from './fakes.ts'

export interface RunOptions {
  /** Agents that the tested one asks. */
  others?: Agent[]
  services?: TestServices
  /** The host's own services, for tests of Troupe itself; they win over `services`. */
  hostServices?: Services
  /** Called with each event; answer a person's question here: `send` puts a message into the task's mailbox. */
  onEvent?(event: TaskEvent, send: (message: { type: string; [key: string]: unknown }) => void): void
  /** Durable timers (`sleep`, `after`) run out so many times sooner: a reminder after three days is tested in a moment. Default 1. */
  timersFasterBy?: number
  /** Milliseconds after which the run is given up. Default 20 s. */
  patience?: number
}

export interface TaskResult {
  task: Task
  events: TaskEvent[]
}

const TENANT = 'test'

export async function runAgent(agent: Agent, input: unknown, options: RunOptions = {}): Promise<TaskResult> {
  return await withJournal(async (journal) => {
    const stage = await openStage(journal, [agent, ...(options.others ?? [])], options)
    try {
      const { task } = await stage.desk.submit({ tenant: TENANT, agent: agent.name, input })
      return await followToEnd(stage.desk, task.id, options)
    } finally {
      await stage.close()
    }
  })
}

/** Everything a task needs, in one process. */
export async function openStage(
  given: Journal,
  agents: Agent[],
  { services, hostServices, timersFasterBy }: Pick<RunOptions, 'services' | 'hostServices' | 'timersFasterBy'> = {},
) {
  const journal = timersFasterBy === undefined ? given : hurried(given, timersFasterBy)
  const bus = createInProcessBus()
  const registry = new AgentRegistry(agents)
  const host = createHost({
    journal,
    bus,
    agents: registry,
    makeContext: contextMaker(hostServices ?? testServices(services)),
    observe: unobserved,
    onTrouble() {},
  })
  await host.start()
  const desk = createDesk({ journal, bus, agents: registry })
  return {
    desk,
    async close() {
      await host.stop()
      await bus.close()
    },
  }
}

function hurried(journal: Journal, by: number): Journal {
  const sooner = (timer: { id: string; inMs: number }) => ({ ...timer, inMs: Math.ceil(timer.inMs / by) })
  return {
    ...bound(journal),
    commit: ({ timersSet = [], ...commit }) => journal.commit({ ...commit, timersSet: timersSet.map(sooner) }),
  }
}

/** Its verbs, to be replaced one by one: they are spread from a class as from an object. */
export function bound(journal: Journal): Journal {
  const verbs = Object.entries(journal as unknown as Record<string, unknown>)
  return Object.fromEntries(
    verbs.map(([name, verb]) => [name, typeof verb === 'function' ? verb.bind(journal) : verb]),
  ) as unknown as Journal
}

export async function withJournal<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-test-'))
  const journal = await openSqliteJournal({ folder })
  try {
    return await use(journal)
  } finally {
    await journal.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** `given`: whoever has no more use for the end aborts it, or the following would keep the process alive. */
export async function followToEnd(
  desk: Desk,
  taskId: string,
  options: RunOptions,
  given?: AbortSignal,
): Promise<TaskResult> {
  const patience = options.patience ?? 20_000
  const events: TaskEvent[] = []
  const impatient = AbortSignal.timeout(patience)
  const signal = given === undefined ? impatient : AbortSignal.any([impatient, given])
  for await (const event of desk.follow(TENANT, taskId, 0, signal)) {
    events.push(event)
    // The event's number and the message's place make its id: an answer given again after a crash is applied once.
    let sent = 0
    options.onEvent?.(
      event,
      (message) => void desk.signal(TENANT, taskId, message, `test:${event.number}.${sent++}`).catch(() => {}),
    )
  }
  const task = await desk.get(TENANT, taskId)
  if (task.endedAt === undefined) {
    const last = events.at(-1)?.body.type ?? 'nothing'
    throw new Error(`The task did not end within ${patience} ms: it is ${task.state}, its last event is ${last}.`)
  }
  return { task, events }
}
