// One actor's commit (P2): the fence first, then everything it carries, or nothing.
import type { DatabaseSync } from 'node:sqlite'
import { hasEnded } from '../../contract/task.ts'
import type { ActorCommit, CommitOutcome, TaskRow, Wake } from '../journal.ts'
import type { PreparedCommit } from '../prepare.ts'
import { commitReferences, LASTING_SLOTS } from '../references.ts'
import { REMEMBERED_MESSAGES, wantsHost } from '../rules.ts'
import type { Acceptance } from './accept.ts'
import type { Counters } from './counters.ts'
import { type Fence, type Fences, freshFence } from './fences.ts'
import type { Mail } from './mail.ts'
import type { RowAfter, TaskRows } from './task-rows.ts'

export interface CommitParts {
  rows: TaskRows
  fences: Fences
  counters: Counters
  accepting: Acceptance
  mail: Mail
  isLive(hostId: string, at: number): boolean
}

export function committer(db: DatabaseSync, parts: CommitParts) {
  const { rows, fences, counters, accepting, mail, isLive } = parts
  const log = db.prepare('INSERT INTO log (task, first_number, at, bodies) VALUES (?, ?, ?, ?)')
  const recordStep = db.prepare('INSERT INTO steps (task, step, outcome) VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const setTimer = db.prepare('INSERT OR REPLACE INTO timers (task, id, due_at) VALUES (?, ?, ?)')
  const clearTimer = db.prepare('DELETE FROM timers WHERE task = ? AND id = ?')
  const forgetMail = db.prepare('DELETE FROM mail WHERE task = ? AND position <= ?')
  const clearTimers = db.prepare('DELETE FROM timers WHERE task = ?')
  const clearMail = db.prepare('DELETE FROM mail WHERE task = ?')
  const nameValue = db.prepare('INSERT OR REPLACE INTO value_references (task, slot, sha256) VALUES (?, ?, ?)')
  const forgetValues = db.prepare(
    `DELETE FROM value_references WHERE task = ? AND slot NOT IN (${LASTING_SLOTS.map((slot) => `'${slot}'`).join(', ')})`,
  )
  const clearSteps = db.prepare('DELETE FROM steps WHERE task = ?')

  function commit(prepared: PreparedCommit, at: number): CommitOutcome {
    const { commit: asked } = prepared
    const accepted = accepting.unwritten(asked.taskId)
    const fence = accepted === undefined ? fences.get(asked.taskId) : freshFence(accepted.prepared.task.agent)
    if (fence === undefined) return { applied: false, because: 'unknown_task' }
    const refused = refusal(fence, asked) ?? unleased(asked, at)
    if (refused !== undefined) return { applied: false, because: refused }

    const row = rowAfter(fence, prepared, at)
    if (accepted !== undefined) {
      const seq = accepting.writeWith(accepted, row)
      // The id is an earlier task's, which now judges this commit.
      if (seq === undefined) return commit(prepared, at)
      fence.seq = seq
    } else {
      if (onlyRecords(fence, prepared)) rows.advance(fence.seq, at, row.version, row.lastEvent)
      else rows.update(fence.seq, at, row)
      counters.move(fence.agent, fence.state, row.state)
    }
    if (prepared.events !== undefined) log.run(fence.seq, fence.lastEvent + 1, at, prepared.events)
    writeBelongings(fence, prepared, row, at)
    advance(fence, row)
    fences.keep(asked.taskId, fence)

    const children: TaskRow[] = []
    for (const child of prepared.children) children.push(accepting.insert(child, at).task)
    const woken: Wake[] = []
    let mailPosition = fence.mailPosition
    for (const message of prepared.messages) {
      const delivery = mail.deliver(message, at)
      if (!delivery.delivered || delivery.duplicate) continue
      woken.push(delivery.wake)
      if (delivery.wake.taskId === asked.taskId) mailPosition++
    }
    const sleeps = row.owner === null && row.endedAt === null
    return {
      applied: true,
      epoch: row.epoch,
      version: row.version,
      lastEvent: row.lastEvent,
      at,
      mailPosition,
      runnable: sleeps && (row.runnableAt !== null || mailPosition > row.mailRead),
      woken,
      children,
    }
  }

  function writeBelongings(fence: Fence, prepared: PreparedCommit, row: RowAfter, at: number): void {
    const { seq } = fence
    const { timersSet = [], timersCleared = [] } = prepared.commit
    for (const { slot, sha256 } of commitReferences(prepared)) {
      nameValue.run(seq, slot, sha256)
      fence.values = true
    }
    if (row.endedAt !== null) {
      if (fence.timers) clearTimers.run(seq)
      if (fence.mailPosition > 0) clearMail.run(seq)
    } else {
      for (const id of timersCleared) clearTimer.run(seq, id)
      for (const { id, inMs } of timersSet) {
        setTimer.run(seq, id, at + Math.max(0, Math.ceil(inMs)))
        fence.timers = true
      }
      if (row.mailRead > fence.mailRead && row.mailRead > REMEMBERED_MESSAGES) {
        forgetMail.run(seq, row.mailRead - REMEMBERED_MESSAGES)
      }
    }
    if (row.state === 'completed') {
      if (fence.steps) clearSteps.run(seq)
      if (fence.values) forgetValues.run(seq)
      return
    }
    // A task that ended badly keeps the steps of its last commit too, for a later retry.
    for (const step of prepared.steps) {
      recordStep.run(seq, step.id, step.outcome)
      fence.steps = true
    }
  }

  function unleased({ claim }: ActorCommit, at: number): 'lease' | undefined {
    return claim === undefined || isLive(claim.hostId, at) ? undefined : 'lease'
  }

  return commit
}

function refusal(fence: Fence, commit: ActorCommit): 'ended' | 'epoch' | undefined {
  if (hasEnded(fence.state)) return 'ended'
  const { epoch, version, lastEvent } = fence
  if (epoch !== commit.epoch || version !== commit.version || lastEvent !== commit.lastEvent) return 'epoch'
  // A claim takes what nobody owns; any other commit is made by the owner.
  return (fence.owner === null) === (commit.claim !== undefined) ? undefined : 'epoch'
}

function rowAfter(fence: Fence, prepared: PreparedCommit, at: number): RowAfter {
  const { commit } = prepared
  const ended = hasEnded(commit.state)
  const released = commit.release || ended
  const mailRead = Math.min(fence.mailPosition, Math.max(fence.mailRead, commit.mailRead ?? 0))
  const wanted = released && !ended && (mailRead < fence.mailPosition || wantsHost(commit))
  return {
    epoch: commit.claim === undefined ? fence.epoch : fence.epoch + 1,
    version: fence.version + 1,
    state: commit.state,
    owner: released ? null : (commit.claim?.hostId ?? fence.owner),
    runnableAt: wanted ? at : null,
    lastEvent: fence.lastEvent + commit.events.length,
    mailRead,
    startedAt: at,
    endedAt: ended ? at : null,
    waitingFor: prepared.waitingFor,
    snapshot: commit.state === 'completed' ? null : prepared.snapshot,
    output: prepared.output,
    error: prepared.error,
    usage: prepared.usage,
  }
}

function advance(fence: Fence, row: RowAfter): void {
  fence.state = row.state
  fence.epoch = row.epoch
  fence.version = row.version
  fence.owner = row.owner
  fence.lastEvent = row.lastEvent
  fence.mailRead = row.mailRead
}

/** Events and step records of a task that runs on: nothing in its row but version, number and time changes. */
function onlyRecords({ state }: Fence, { commit, snapshot, waitingFor, usage }: PreparedCommit): boolean {
  return (
    state === 'running' &&
    commit.state === 'running' &&
    commit.claim === undefined &&
    !commit.release &&
    commit.mailRead === undefined &&
    snapshot === undefined &&
    waitingFor === undefined &&
    usage === undefined
  )
}
