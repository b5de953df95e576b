// The short way for a flight that concerns one task and nothing outside it: one plain statement instead of the function.
// It is what a task costs that has Postgres for itself, and a flight of one is half of the work this way.
//
// With one row the fence alone decides: an UPDATE that waited for its row judges by what the row is then, and an INSERT
// into the log by whether its number is free. Where things are not as the commit expects, nothing is done, and the function
// judges why. What others may write to meanwhile (mail, other tasks) is not touched here: such flights take the function,
// whose statements see what was committed before each.
//
// Nothing is kept of the answer. Should it get lost, the function recognises what was written (known-again.ts), by the
// events: a commit that logs nothing takes the function. So does one whose id or number is taken: an error of the statement.
import { hasEnded } from '../../contract/task.ts'
import type { PreparedCommit, PreparedTask } from '../prepare.ts'
import { commitReferences, taskReferences } from '../references.ts'
import type { Answer } from './answers.ts'
import { beginsOnly, firstRow, newRow, onlyAdds, recordRow, turnRow } from './flight-rows.ts'
import type { Op } from './flush.ts'
import { beginStatement, commitStatement, entryStatement } from './lone-statements.ts'
import { outcomesApart } from './outcomes.ts'
import type { Fields, Statement } from './statement.ts'

export interface Lone extends Statement {
  /** The row that the statement answers with, as the function would have said it. */
  answer(fields: Fields): Answer
}

/** The statement for this flight, if it is one that a plain statement can carry. No row in answer: nothing was done. */
export function loneFlight(ops: readonly Op[]): Lone | undefined {
  const [one, two] = ops
  if (one?.kind === 'accept' && ops.length === 1) return begin(one.prepared, undefined)
  if (one?.kind === 'accept' && two?.kind === 'commit' && ops.length === 2) return begin(one.prepared, two.prepared)
  if (one?.kind !== 'commit' || ops.length !== 1) return undefined
  return alone(one.prepared) ? commit(one.prepared) : undefined
}

const NOTHING = { commits: [], live: [], fresh: null, refused: null, letters: null }

function begin(accept: PreparedTask, first: PreparedCommit | undefined): Lone | undefined {
  const { idempotencyKey, deadline, labels } = accept.task
  if (idempotencyKey !== undefined || deadline !== undefined || labels !== undefined) return undefined
  if (taskReferences(accept).length > 0) return undefined
  if (
    first !== undefined &&
    (first.commit.taskId !== accept.task.id || first.events === undefined || !beginsOnly(first))
  ) {
    return undefined
  }
  const begun = first === undefined ? undefined : firstRow(first)
  const live = begun === undefined ? [] : [begun.host!]
  return { ...beginStatement(newRow(accept), begun), answer: ([at]) => ({ ...NOTHING, at: Number(at), live }) }
}

/** It logs something, and changes nothing but its task's row and log. */
function alone(prepared: PreparedCommit): boolean {
  const { commit, events, messages, children } = prepared
  return (
    events !== undefined &&
    messages.length + children.length + outcomesApart(prepared).length === 0 &&
    commit.timersSet === undefined &&
    commit.timersCleared === undefined &&
    commitReferences(prepared).length === 0 &&
    (commit.state === 'completed' || !hasEnded(commit.state))
  )
}

function commit(prepared: PreparedCommit): Lone {
  if (onlyAdds(prepared)) {
    const row = recordRow(0, prepared)
    const { mailKnown } = prepared.commit
    return {
      ...entryStatement(row, mailKnown !== undefined),
      answer: answerFor(row, row.epoch, row.version, mailKnown),
    }
  }
  const row = turnRow(0, prepared)
  const epoch = row.host === undefined ? row.epoch : row.epoch + 1
  return { ...commitStatement(row), answer: answerFor(row, epoch, row.version + 1) }
}

/** The moment, the mail, and whether the task is runnable: it never is of one that only records. */
function answerFor(
  row: { last_event: number; count: number },
  epoch: number,
  version: number,
  mailKnown = 0,
): Lone['answer'] {
  return ([at, mail = mailKnown, runnable = 0]) => ({
    ...NOTHING,
    at: Number(at),
    commits: [0, epoch, version, row.last_event + row.count, Number(mail), Number(runnable)],
  })
}
