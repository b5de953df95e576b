// One actor's commit (P2): the fence first, then everything it carries, or nothing.
import type { DatabaseSync } from 'node:sqlite'
import { hasEnded, type TaskState } from '../../contract/task.ts'
import type { ActorCommit, CommitOutcome, TaskRow, Wake } from '../journal.ts'
import type { PreparedCommit } from '../prepare.ts'
import { commitReferences, LASTING_SLOTS } from '../references.ts'
import { REMEMBERED_MESSAGES, wantsHost } from '../rules.ts'
import type { Acceptance } from './accept.ts'
import type { CommitGroup } from './group.ts'
import type { Mail } from './mail.ts'

interface Advanced {
  seq: number
  last_event: number
  mail_position: number
}

interface Current {
  seq: number
  agent: string
  state: TaskState
  epoch: number
  version: number
  owner: string | null
  last_event: number
  mail_position: number
  mail_read: number
}

export function committer(
  db: DatabaseSync,
  group: CommitGroup,
  { insert }: Acceptance,
  { deliver }: Mail,
  isLive: (hostId: string, at: number) => boolean,
) {
  const current = db.prepare(
    'SELECT seq, agent, state, epoch, version, owner, last_event, mail_position, mail_read FROM tasks WHERE id = ?',
  )
  const update = db.prepare(`
    UPDATE tasks SET epoch = ?2, version = ?3, state = ?4, owner = ?5, runnable_at = ?6, last_event = ?7, mail_read = ?8,
      updated_at = ?9, started_at = coalesce(started_at, ?9), ended_at = ?10, waiting_for = ?11,
      snapshot = CASE ?12 WHEN 0 THEN snapshot ELSE ?13 END,
      output = coalesce(?14, output), error = coalesce(?15, error), usage = coalesce(?16, usage)
    WHERE seq = ?1`)
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

  const advance = db.prepare(`
    UPDATE tasks SET version = version + 1, last_event = last_event + ?2, updated_at = ?3, waiting_for = NULL
    WHERE id = ?1 AND epoch = ?4 AND version = ?5 AND owner IS NOT NULL AND state = 'running'
    RETURNING seq, last_event, mail_position`)

  /** A running task stays running and only records: one narrow statement where the general way reads and rewrites. */
  function record(prepared: PreparedCommit, at: number): CommitOutcome | undefined {
    const { taskId, epoch, version, events } = prepared.commit
    const row = advance.get(taskId, events.length, at, epoch, version) as unknown as Advanced | undefined
    if (row === undefined) return undefined
    if (prepared.events !== undefined) log.run(row.seq, row.last_event - events.length + 1, at, prepared.events)
    for (const step of prepared.steps) recordStep.run(row.seq, step.id, step.outcome)
    const { last_event: lastEvent, mail_position: mailPosition } = row
    return {
      applied: true,
      epoch,
      version: version + 1,
      lastEvent,
      at,
      mailPosition,
      runnable: false,
      woken: [],
      children: [],
    }
  }

  function commit(prepared: PreparedCommit, at: number): CommitOutcome {
    const { commit } = prepared
    const recorded = onlyRecords(prepared) ? record(prepared, at) : undefined
    if (recorded !== undefined) return recorded
    const now = current.get(commit.taskId) as Current | undefined
    const refused = refusal(now, commit) ?? unleased(commit, at)
    if (now === undefined || refused !== undefined) return { applied: false, because: refused ?? 'unknown_task' }

    const ended = hasEnded(commit.state)
    const released = commit.release || ended
    const epoch = commit.claim === undefined ? now.epoch : now.epoch + 1
    const version = now.version + 1
    const lastEvent = now.last_event + commit.events.length
    const mailRead = Math.min(now.mail_position, Math.max(now.mail_read, commit.mailRead ?? 0))
    const unread = mailRead < now.mail_position
    const runnable = released && !ended && (unread || wantsHost(commit))
    const completed = commit.state === 'completed'
    update.run(
      now.seq,
      epoch,
      version,
      commit.state,
      released ? null : (commit.claim?.hostId ?? now.owner),
      runnable ? at : null,
      lastEvent,
      mailRead,
      at,
      ended ? at : null,
      prepared.waitingFor ?? null,
      completed || prepared.snapshot !== undefined ? 1 : 0,
      completed ? null : (prepared.snapshot ?? null),
      prepared.output ?? null,
      prepared.error ?? null,
      prepared.usage ?? null,
    )
    if (now.state !== commit.state) {
      group.count(now.agent, now.state, -1)
      group.count(now.agent, commit.state, 1)
    }
    if (prepared.events !== undefined) log.run(now.seq, now.last_event + 1, at, prepared.events)

    for (const { slot, sha256 } of commitReferences(prepared)) nameValue.run(now.seq, slot, sha256)

    if (ended) {
      clearTimers.run(now.seq)
      if (now.mail_position > 0) clearMail.run(now.seq)
      if (completed) {
        clearSteps.run(now.seq)
        forgetValues.run(now.seq)
      }
    } else {
      for (const step of prepared.steps) recordStep.run(now.seq, step.id, step.outcome)
      if (commit.timersCleared !== undefined) for (const id of commit.timersCleared) clearTimer.run(now.seq, id)
      if (commit.timersSet !== undefined) {
        for (const { id, inMs } of commit.timersSet) setTimer.run(now.seq, id, at + Math.max(0, Math.ceil(inMs)))
      }
      if (mailRead > now.mail_read && mailRead > REMEMBERED_MESSAGES) {
        forgetMail.run(now.seq, mailRead - REMEMBERED_MESSAGES)
      }
    }
    // A failed task keeps the steps of its last commit for a later retry.
    if (ended && !completed) for (const step of prepared.steps) recordStep.run(now.seq, step.id, step.outcome)

    const children: TaskRow[] = []
    for (const child of prepared.children) children.push(insert(child, at).task)
    const woken: Wake[] = []
    let mailPosition = now.mail_position
    for (const message of prepared.messages) {
      const delivery = deliver(message, at)
      if (!delivery.delivered || delivery.duplicate) continue
      woken.push(delivery.wake)
      if (delivery.wake.taskId === commit.taskId) mailPosition++
    }
    const wroteToItself = mailPosition > now.mail_position
    return {
      applied: true,
      epoch,
      version,
      lastEvent,
      at,
      mailPosition,
      runnable: runnable || (released && !ended && wroteToItself),
      woken,
      children,
    }
  }

  function unleased({ claim }: ActorCommit, at: number): 'lease' | undefined {
    return claim === undefined || isLive(claim.hostId, at) ? undefined : 'lease'
  }

  return commit
}

/** Nothing but events and step records. A value that left for the blob store must be named, which the general way does. */
function onlyRecords(prepared: PreparedCommit): boolean {
  const { commit, snapshot, waitingFor, usage, messages, children } = prepared
  return (
    commit.claim === undefined &&
    !commit.release &&
    commit.state === 'running' &&
    snapshot === undefined &&
    waitingFor === undefined &&
    usage === undefined &&
    commit.mailRead === undefined &&
    commit.timersSet === undefined &&
    commit.timersCleared === undefined &&
    messages.length === 0 &&
    children.length === 0 &&
    commitReferences(prepared).length === 0
  )
}

function refusal(now: Current | undefined, commit: ActorCommit): 'unknown_task' | 'ended' | 'epoch' | undefined {
  if (now === undefined) return 'unknown_task'
  if (hasEnded(now.state)) return 'ended'
  if (now.epoch !== commit.epoch || now.version !== commit.version) return 'epoch'
  // A claim takes what nobody owns; any other commit is made by the owner.
  return (now.owner === null) === (commit.claim !== undefined) ? undefined : 'epoch'
}
