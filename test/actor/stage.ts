// A journal, a bus and hosts in one process, for tests that need more than one task or more than one host.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createInProcessBus } from '../../src/bus/in-process.ts'
import type { TaskEvent } from '../../src/contract/events.ts'
import type { Task } from '../../src/contract/task.ts'
import { createDesk } from '../../src/desk/desk.ts'
import { createHost, type Host } from '../../src/host/host.ts'
import { unobserved } from '../../src/host/observe.ts'
import { absentServices, contextMaker } from '../../src/host/services.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { AgentRegistry } from '../../src/plugins/registry.ts'
import type { Agent } from '../../src/sdk/index.ts'

export const TENANT = 'test'

/** On SQLite in a folder of its own, unless another journal is given; the stage closes it. */
export async function openTestStage(t: TestContext, agents: Agent[], given?: Journal) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-stage-'))
  const journal = given ?? (await openSqliteJournal({ folder }))
  const bus = createInProcessBus()
  const registry = new AgentRegistry(agents)
  const desk = createDesk({ journal, bus, agents: registry })
  const troubles: string[] = []
  const hosts: Host[] = []

  async function startHost(agentsOfHost: Agent[] = agents): Promise<Host> {
    const host = createHost({
      journal,
      bus,
      agents: new AgentRegistry(agentsOfHost),
      makeContext: contextMaker(absentServices),
      observe: unobserved,
      onTrouble: (what, error) => troubles.push(`${what}: ${String(error)}`),
    })
    hosts.push(host)
    await host.start()
    return host
  }

  t.after(async () => {
    for (const host of hosts) await host.stop()
    await bus.close()
    await journal.close()
    rmSync(folder, { recursive: true, force: true })
  })

  return {
    journal,
    bus,
    desk,
    troubles,
    startHost,
    submit: async (agent: string, input: unknown, more: { deadline?: number } = {}) =>
      (await desk.submit({ tenant: TENANT, agent, input, ...more })).task,
    /** Follows until an event fits; fails when the task ends before, or after ten seconds. */
    async until(taskId: string, fits: (event: TaskEvent) => boolean): Promise<TaskEvent> {
      for await (const event of desk.follow(TENANT, taskId, 0, AbortSignal.timeout(10_000)))
        if (fits(event)) return event
      const seen = (await journal.events(taskId, 0, 100)).map(({ body }) => body.type).join(', ')
      throw new Error(`the event did not come; there were ${seen}`)
    },
    end: (taskId: string): Promise<Task> => desk.waitForEnd(TENANT, taskId, 10_000),
    types: async (taskId: string) => (await journal.events(taskId, 0, 500)).map(({ body }) => body.type),
  }
}
