// Which tasks that have not ended would break if this package took over: those whose version it has no more, cannot
// migrate, or whose state its machine does not know. Read from the journal itself, so also while nothing runs.
import { restoreSnapshot } from '../actor/state.ts'
import type { TaskState } from '../contract/task.ts'
import { fitVersion } from '../host/versions.ts'
import { openPostgresJournal } from '../journal/postgres/index.ts'
import { openSqliteJournal } from '../journal/sqlite/index.ts'
import { AgentRegistry } from '../plugins/index.ts'
import type { Agent } from '../sdk/index.ts'

export interface Breaking {
  task: string
  agent: string
  version: string
  why: string
}

const OPEN: TaskState[] = ['queued', 'running', 'waiting', 'input-required']
const PAGE = 200

/** `against`: a data folder whose Troupe is stopped, or the address of a Postgres. */
export async function checkAgainst(
  agents: Agent[],
  against: string,
): Promise<{ looked: number; breaking: Breaking[] }> {
  const registry = new AgentRegistry(agents)
  const journal = await openJournal(against)
  const breaking: Breaking[] = []
  let looked = 0
  try {
    for (const name of registry.names()) {
      let cursor: string | undefined
      do {
        const page = await journal.list({
          agent: name,
          states: OPEN,
          limit: PAGE,
          ...(cursor === undefined ? {} : { cursor }),
        })
        cursor = page.nextCursor
        for (const { id } of page.tasks) {
          const loaded = await journal.load(id)
          if (loaded === undefined) continue
          looked += 1
          const why = wouldBreak(registry, loaded.task)
          if (why !== undefined) breaking.push({ task: id, agent: name, version: loaded.task.agentVersion, why })
        }
      } while (cursor !== undefined)
    }
  } finally {
    await journal.close()
  }
  return { looked, breaking }
}

function wouldBreak(registry: AgentRegistry, task: Parameters<typeof fitVersion>[1]): string | undefined {
  const fit = fitVersion(registry, task)
  if (fit.agent === undefined) return fit.reason
  const state = fit.snapshot ?? (task.snapshot as typeof fit.snapshot)
  if (state?.machine === undefined || fit.agent.machine === undefined) return undefined
  try {
    restoreSnapshot(fit.agent.name, fit.agent.machine, state)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

async function openJournal(against: string) {
  if (/^postgres(ql)?:/.test(against)) return await openPostgresJournal({ url: against })
  return await openSqliteJournal({ folder: against })
}
