// The short way for a flight that concerns one task and nothing outside it: one plain statement instead of the function.
// It is what a task costs that has Postgres for itself, and a flight of one is three fifths of the work this way.
//
// With one row the fence alone decides: an UPDATE that waited for its row judges by what the row is then. Where the row is
// not what the commit expects, nothing is done, and the function judges why. What others may write to meanwhile (mail,
// other tasks) is not touched here: such flights take the function, whose statements see what was committed before each.
//
// The answer is kept in the lane's row as the function keeps it, so a lost one is looked up in the same way.
import { hasEnded } from '../../contract/task.ts'
import type { PreparedCommit, PreparedTask } from '../prepare.ts'
import { commitReferences, taskReferences } from '../references.ts'
import { beginsOnly, firstRow, newRow, onlyRecords, recordRow, turnRow } from './flight-rows.ts'
import type { Op } from './flush.ts'
import { BEGIN, COMPLETE, RECORD, TURN } from './lone-statements.ts'

type Value = string | number | boolean | null

export interface Lone {
  name: string
  text: string
  /** All but the lane and the number. */
  values: Value[]
}

/** No row: nothing was done. `kept` is false when the lane's row was gone, so that the answer is kept nowhere. */
export interface LoneRow {
  answer: string
  kept: boolean
}

/** The statement for this flight, if it is one that a plain statement can carry. */
export function loneFlight(ops: readonly Op[]): Lone | undefined {
  const [one, two] = ops
  if (one?.kind === 'accept' && ops.length === 1) return begin(one.prepared, undefined)
  if (one?.kind === 'accept' && two?.kind === 'commit' && ops.length === 2) return begin(one.prepared, two.prepared)
  if (one?.kind === 'commit' && ops.length === 1)
    return onlyRecords(one.prepared) ? record(one.prepared) : turn(one.prepared)
  return undefined
}

function begin(accept: PreparedTask, first: PreparedCommit | undefined): Lone | undefined {
  const { task } = accept
  if (task.idempotencyKey !== undefined || task.deadline !== undefined) return undefined
  if (taskReferences(accept).length > 0) return undefined
  if (first !== undefined && (first.commit.taskId !== task.id || !beginsOnly(first))) return undefined
  const row = newRow(accept)
  const begun = first === undefined ? undefined : firstRow(first)
  const values = [
    ...[row.id, row.tenant, row.agent, row.agent_version, row.priority, row.depth, row.parent_task, row.parent_step],
    ...[row.traceparent, row.budget, row.metadata, row.input, begun?.usage, begun?.host, begun?.released, begun?.ended],
    ...[begun?.wanted, begun?.state, begun?.count, begun?.events, begun?.snapshot, begun?.waiting_for],
    ...[begun?.output, begun?.error],
  ]
  return { name: 'begin', text: BEGIN, values: values.map(orNull) }
}

function record(prepared: PreparedCommit): Lone {
  const { id, epoch, version, count, events, step, outcome, snapshot } = recordRow(0, prepared)
  const values = [id, epoch, version, count, events, step, outcome, snapshot]
  return { name: 'record', text: RECORD, values: values.map(orNull) }
}

function turn(prepared: PreparedCommit): Lone | undefined {
  const { commit, steps, messages, children } = prepared
  const completed = commit.state === 'completed'
  if (messages.length + children.length > 0 || (steps.length > 1 && !completed)) return undefined
  if (commit.timersSet !== undefined || commit.timersCleared !== undefined) return undefined
  if (commitReferences(prepared).length > 0 || (hasEnded(commit.state) && !completed)) return undefined
  const row = turnRow(0, prepared)
  const values = [
    ...[
      row.id,
      row.epoch,
      row.version,
      row.host,
      row.released,
      row.ended,
      row.wanted,
      row.state,
      row.count,
      row.events,
    ],
    ...[row.mail_read, row.resnap, row.snapshot, row.waiting_for, row.output, row.error, row.usage],
  ].map(orNull)
  if (completed) return { name: 'complete', text: COMPLETE, values }
  return { name: 'turn', text: TURN, values: [...values, orNull(row.step), orNull(row.outcome)] }
}

function orNull(value: Value | undefined): Value {
  return value ?? null
}
