// A process for the tests to kill: accepts and ends tasks without pause, and prints each id once it was promised.
import { openSqliteJournal } from '../../src/journal/sqlite/index.ts'
import { apply, commitOn, leased, makeTask } from './contract/make.ts'

const journal = await openSqliteJournal({ folder: process.argv[2]! })
const { hostId } = await leased(journal)

async function work(): Promise<never> {
  for (;;) {
    const { task } = await journal.accept(makeTask())
    process.stdout.write(`${task.id}\n`)
    await apply(
      journal,
      commitOn(task, {
        claim: { hostId },
        release: true,
        state: 'completed',
        output: 'done',
        events: [{ type: 'task.started', host: hostId }, { type: 'task.completed' }],
      }),
    )
  }
}

await Promise.all(Array.from({ length: 8 }, work))
