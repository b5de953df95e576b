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
import { acceptedRow } from '../rows.ts'
import { type Fence, firstFence, outcomeOf } from './answers.ts'
import { beginsOnly, firstRow, newRow, onlyAdds, recordRow, turnRow } from './flight-rows.ts'
import type { Op } from './flush.ts'
import type { Leases } from './leases.ts'
import { beginStatement, commitStatement, entryStatement } from './lone-statements.ts'
import { outcomesApart } from './outcomes.ts'
import type { Fields, Statement } from './statement.ts'

export interface Lone extends Statement {
  /** With the row that the statement answered. */
  tell(fields: Fields): void
}

type Accept = Op & { kind: 'accept' }
type Commit = Op & { kind: 'commit' }

/** The statement for this flight, if it is one that a plain statement can carry. No row in answer: nothing was done. */
export function loneFlight(ops: readonly Op[], leases: Leases): Lone | undefined {
  const [one, two] = ops
  if (one?.kind === 'accept') {
    if (ops.length === 1) return accept(one)
    return two?.kind === 'commit' && ops.length === 2 ? begin(one, two, leases) : undefined
  }
  if (one?.kind !== 'commit' || ops.length !== 1 || !alone(one.prepared)) return undefined
  return onlyAdds(one.prepared) ? record(one) : commit(one, leases)
}

function accept(accepted: Accept): Lone | undefined {
  const { prepared } = accepted
  if (!plain(prepared)) return undefined
  return { ...beginStatement(newRow(prepared)), tell: ([at]) => tellAccepted(accepted, Number(at)) }
}

function begin(accepted: Accept, first: Commit, leases: Leases): Lone | undefined {
  const { prepared } = first
  const { claim, taskId } = prepared.commit
  const leaseUntil = claim === undefined ? undefined : leases.until(claim.hostId)
  if (leaseUntil === undefined || !plain(accepted.prepared)) return undefined
  if (taskId !== accepted.prepared.task.id || prepared.events === undefined || !beginsOnly(prepared)) return undefined
  return {
    ...beginStatement(newRow(accepted.prepared), firstRow(prepared), leaseUntil),
    tell([at]) {
      tellAccepted(accepted, Number(at))
      first.resolve(outcomeOf(prepared, firstFence(prepared.commit), [], Number(at)))
    },
  }
}

/** Of a task with more to it others tables are written too. */
function plain(prepared: PreparedTask): boolean {
  const { idempotencyKey, deadline, labels } = prepared.task
  if (idempotencyKey !== undefined || deadline !== undefined || labels !== undefined) return false
  return taskReferences(prepared).length === 0
}

function tellAccepted({ prepared, resolve }: Accept, at: number): void {
  resolve({ task: acceptedRow(prepared.task, at), created: true })
}

/** It logs something, and changes nothing but its task's row and log. */
function alone(prepared: PreparedCommit): boolean {
  const { commit, events, messages, children } = prepared
  return (
    events !== undefined &&
    messages.length + children.length === 0 &&
    outcomesApart(prepared).length === 0 &&
    commit.timersSet === undefined &&
    commit.timersCleared === undefined &&
    commitReferences(prepared).length === 0 &&
    (commit.state === 'completed' || !hasEnded(commit.state))
  )
}

function record({ prepared, resolve }: Commit): Lone {
  const row = recordRow(0, prepared)
  const { mailKnown } = prepared.commit
  return {
    ...entryStatement(row, mailKnown !== undefined),
    tell: ([at, mail = mailKnown]) =>
      resolve(outcomeOf(prepared, fenceOf(row, row.epoch, row.version, Number(mail)), [], Number(at))),
  }
}

function commit({ prepared, resolve }: Commit, leases: Leases): Lone | undefined {
  const row = turnRow(0, prepared)
  const leaseUntil = row.host === undefined ? 0 : leases.until(row.host)
  if (leaseUntil === undefined) return undefined
  const epoch = row.host === undefined ? row.epoch : row.epoch + 1
  return {
    ...commitStatement(row, leaseUntil),
    // Of a task that has ended only the moment is told.
    tell: ([at, mail = 0, runnable]) =>
      resolve(
        outcomeOf(prepared, fenceOf(row, epoch, row.version + 1, Number(mail), runnable === '1'), [], Number(at)),
      ),
  }
}

function fenceOf(
  { last_event, count }: { last_event: number; count: number },
  epoch: number,
  version: number,
  mailPosition: number,
  runnable = false,
): Fence {
  return { epoch, version, lastEvent: last_event + count, mailPosition, runnable }
}
