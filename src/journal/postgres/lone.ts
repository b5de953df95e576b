// The short way for a flight that concerns one task and nothing outside it: one plain statement instead of the function.
// It is what a task costs that has Postgres for itself, and a flight of one is half of the work this way.
//
// With one row the fence alone decides: an UPDATE that waited for its row judges by what the row is then. Where the row is
// not what the commit expects, nothing is done, and the function judges why. What others may write to meanwhile (mail,
// other tasks) is not touched here: such flights take the function, whose statements see what was committed before each.
//
// Nothing is kept of the answer. Should it get lost, the function recognises what was written (known-again.ts), by the
// events: a commit that logs nothing takes the function.
import { hasEnded } from '../../contract/task.ts'
import type { PreparedCommit, PreparedTask } from '../prepare.ts'
import { commitReferences, taskReferences } from '../references.ts'
import type { Answer } from './answers.ts'
import { beginsOnly, firstRow, newRow, onlyRecords, recordRow, turnRow } from './flight-rows.ts'
import type { Op } from './flush.ts'
import { BEGIN, END, RECORD, TURN } from './lone-statements.ts'
import { outcomesApart } from './outcomes.ts'

type Value = string | number | boolean | null

export interface Lone {
  name: string
  text: string
  values: Value[]
  /** The row that the statement answers with, as the function would have said it. */
  answer(row: LoneRow): Answer
}

/** Of an accept `begun`, of a commit the others. */
export interface LoneRow {
  at: number
  begun: boolean
  epoch: number
  last_event: number
  mail_position: number
  runnable: boolean
}

/** The statement for this flight, if it is one that a plain statement can carry. No row in answer: nothing was done. */
export function loneFlight(ops: readonly Op[]): Lone | undefined {
  const [one, two] = ops
  if (one?.kind === 'accept' && ops.length === 1) return begin(one.prepared, undefined)
  if (one?.kind === 'accept' && two?.kind === 'commit' && ops.length === 2) return begin(one.prepared, two.prepared)
  if (one?.kind !== 'commit' || ops.length !== 1 || one.prepared.events === undefined) return undefined
  return onlyRecords(one.prepared) ? record(one.prepared) : turn(one.prepared)
}

function begin(accept: PreparedTask, first: PreparedCommit | undefined): Lone | undefined {
  const { task } = accept
  if (task.idempotencyKey !== undefined || task.deadline !== undefined) return undefined
  if (taskReferences(accept).length > 0) return undefined
  if (first !== undefined && (first.commit.taskId !== task.id || first.events === undefined || !beginsOnly(first))) {
    return undefined
  }
  const row = newRow(accept)
  const begun = first === undefined ? undefined : firstRow(first)
  const values = [
    ...[row.id, row.tenant, row.agent, row.agent_version, row.priority, row.depth, row.parent_task, row.parent_step],
    ...[row.traceparent, row.budget, row.metadata, row.input, begun?.usage, begun?.host, begun?.released, begun?.ended],
    ...[begun?.wanted, begun?.state, begun?.count, begun?.events, begun?.snapshot, begun?.waiting_for],
    ...[begun?.output, begun?.error],
  ]
  const host = begun?.host
  return {
    name: 'begin',
    text: BEGIN,
    values: values.map(orNull),
    answer: ({ at, begun: live }) => ({ ...NOTHING, at, live: live && host !== undefined ? [host] : [] }),
  }
}

function record(prepared: PreparedCommit): Lone {
  const { id, epoch, version, count, events, outcomes, snapshot } = recordRow(0, prepared)
  const values = [id, epoch, version, count, events, outcomes, snapshot].map(orNull)
  return { name: 'record', text: RECORD, values, answer: appliedAfter(version) }
}

function turn(prepared: PreparedCommit): Lone | undefined {
  const { commit, messages, children } = prepared
  const completed = commit.state === 'completed'
  if (messages.length + children.length + outcomesApart(prepared).length > 0) return undefined
  if (commit.timersSet !== undefined || commit.timersCleared !== undefined) return undefined
  if (commitReferences(prepared).length > 0 || (hasEnded(commit.state) && !completed)) return undefined
  const row = turnRow(0, prepared)
  const values = [
    ...[row.id, row.epoch, row.version, row.host, row.released, row.ended, row.wanted, row.state, row.count],
    ...[row.events, row.mail_read, row.resnap, row.snapshot, row.waiting_for, row.output, row.error, row.usage],
    row.outcomes,
  ].map(orNull)
  const answer = appliedAfter(row.version)
  return completed ? { name: 'end', text: END, values, answer } : { name: 'turn', text: TURN, values, answer }
}

const NOTHING = { commits: [], live: [], fresh: null, refused: null, letters: null }

function appliedAfter(version: number): (row: LoneRow) => Answer {
  return ({ at, epoch, last_event, mail_position, runnable }) => ({
    ...NOTHING,
    at,
    commits: [0, epoch, version + 1, last_event, mail_position, runnable ? 1 : 0],
  })
}

function orNull(value: Value | undefined): Value {
  return value ?? null
}
