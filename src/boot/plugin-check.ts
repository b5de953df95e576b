// Which tasks that have not ended would break if this package took over: those whose version it has no more, cannot
// migrate, or whose state its machine does not know. Read from the journal itself, so also while nothing runs.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TroupeError } from '../contract/errors.ts'
import type { TaskState } from '../contract/task.ts'
import type { Journal } from '../journal/journal.ts'
import { openPostgresJournal } from '../journal/postgres/index.ts'
import { holdsJournal } from '../journal/postgres/presence.ts'
import { openSqliteJournal } from '../journal/sqlite/index.ts'
import type { Examination } from './examine.ts'

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
  { agents, wouldBreak }: Examination,
  against: string,
): Promise<{ looked: number; breaking: Breaking[] }> {
  const journal = await openJournal(against)
  const breaking: Breaking[] = []
  let looked = 0
  try {
    for (const agent of new Set(agents.map(({ name }) => name))) {
      for await (const id of openTasks(journal, agent)) {
        const loaded = await journal.load(id)
        if (loaded === undefined) continue
        looked += 1
        const { agentVersion, snapshot } = loaded.task
        const why = await wouldBreak({ id, agent, agentVersion, ...(snapshot === undefined ? {} : { snapshot }) })
        if (why !== undefined) breaking.push({ task: id, agent, version: agentVersion, why })
      }
    }
  } finally {
    await journal.close()
  }
  return { looked, breaking }
}

async function* openTasks(journal: Journal, agent: string): AsyncGenerator<string> {
  let cursor: string | undefined
  do {
    const page = await journal.list({
      agent,
      states: OPEN,
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    cursor = page.nextCursor
    for (const { id } of page.tasks) yield id
  } while (cursor !== undefined)
}

async function openJournal(against: string): Promise<Journal> {
  const isPostgres = /^postgres(ql)?:/.test(against)
  // To open a journal is to make one: who mistyped the place shall hear of it.
  const isThere = isPostgres ? await holdsJournal({ url: against }) : existsSync(join(against, 'journal.db'))
  if (!isThere) {
    throw new TroupeError('not_found', `${isPostgres ? 'That database' : resolve(against)} holds no journal of Troupe.`)
  }
  return isPostgres ? await openPostgresJournal({ url: against }) : await openSqliteJournal({ folder: against })
}
