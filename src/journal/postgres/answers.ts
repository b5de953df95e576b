// What apply_6 answered for a flight, given back to each caller.
import { hasEnded } from '../../contract/task.ts'
import type { ActorCommit, CommitOutcome, Delivery, TaskRow, Wake } from '../journal.ts'
import type { PreparedCommit } from '../prepare.ts'
import { acceptedRow, toWake } from '../rows.ts'
import { wantsHost } from '../rules.ts'
import type { Op } from './flush.ts'

export interface Answer {
  at: number
  /** Six numbers for each applied commit: op, epoch, version, last event, mail position, 1 if runnable. */
  commits: number[]
  /** Those of the claiming hosts whose lease is live. */
  live: string[]
  /** The tasks that were made, when not all of them were. */
  fresh: string[] | null
  refused: [number, 'unknown_task' | 'ended' | 'lease' | 'epoch'][] | null
  letters: Letter[] | null
}

/** [op, verdict, receiver, tenant, agent, version, priority, epoch, owner] */
export type Letter = [
  number,
  'new' | 'duplicate' | 'unknown_task' | 'ended' | 'mailbox_full',
  string,
  string,
  string,
  string,
  Wake['priority'],
  number,
  string | null,
]

/** What a commit left of its task. */
export interface Fence {
  epoch: number
  version: number
  lastEvent: number
  mailPosition: number
  runnable: boolean
}

export function settle(ops: readonly Op[], firsts: ReadonlyMap<number, number>, answer: Answer): void {
  const { at, commits, refused } = answer
  const fences = new Map<number, Fence>()
  for (let i = 0; i < commits.length; i += 6) {
    fences.set(commits[i]!, {
      epoch: commits[i + 1]!,
      version: commits[i + 2]!,
      lastEvent: commits[i + 3]!,
      mailPosition: commits[i + 4]!,
      runnable: commits[i + 5] === 1,
    })
  }
  const why = new Map(refused)
  const letters = new Map<number, Letter[]>()
  for (const letter of answer.letters ?? []) {
    const of = letters.get(letter[0])
    if (of === undefined) letters.set(letter[0], [letter])
    else of.push(letter)
  }
  const fresh = answer.fresh === null ? undefined : new Set(answer.fresh)
  for (let n = 0; n < ops.length; n++) {
    const op = ops[n]!
    if (op.kind === 'accept') {
      const { task } = op.prepared
      // Of two accepts of one id in one flight the first made it.
      const created = fresh === undefined || fresh.delete(task.id)
      const first = firsts.get(n)
      if (first !== undefined) judgeFirst(ops[first]!, first, created, answer, fences, why)
      op.resolve(created ? { task: acceptedRow(task, at), created } : { existing: true })
    } else if (op.kind === 'deliver') op.resolve(deliveryOf(letters.get(n)![0]!))
    else {
      const fence = fences.get(n)
      if (fence === undefined) op.resolve({ applied: false, because: why.get(n) ?? 'epoch' })
      else op.resolve(outcomeOf(op.prepared, fence, letters.get(n) ?? [], at))
    }
  }
}

/** A first commit travelled in the row of its accept: what became of it follows from the row and the lease. */
function judgeFirst(
  op: Op,
  n: number,
  created: boolean,
  { live }: Answer,
  fences: Map<number, Fence>,
  why: Map<number, 'unknown_task' | 'ended' | 'lease' | 'epoch'>,
): void {
  if (op.kind !== 'commit' || !created) return
  const { commit } = op.prepared
  if (!live.includes(commit.claim!.hostId)) {
    why.set(n, 'lease')
    return
  }
  fences.set(n, firstFence(commit))
}

export function firstFence(commit: ActorCommit): Fence {
  const runnable = commit.release && !hasEnded(commit.state) && wantsHost(commit)
  return { epoch: 1, version: 1, lastEvent: 1 + commit.events.length, mailPosition: 0, runnable }
}

export function outcomeOf(
  { commit, children }: PreparedCommit,
  { epoch, version, lastEvent, mailPosition, runnable }: Fence,
  letters: Letter[],
  at: number,
): CommitOutcome {
  const sent = letters.filter(([, verdict]) => verdict === 'new')
  const toItself = sent.filter(([, , receiver]) => receiver === commit.taskId).length
  return {
    applied: true,
    epoch,
    version,
    lastEvent,
    at,
    mailPosition: mailPosition + toItself,
    runnable: runnable || (commit.release && !hasEnded(commit.state) && toItself > 0),
    woken: sent.map(wakeOf),
    children: children.map(({ task }): TaskRow => acceptedRow(task, at)),
  }
}

function deliveryOf(letter: Letter): Delivery {
  const verdict = letter[1]
  if (verdict === 'new' || verdict === 'duplicate') {
    return { delivered: true, duplicate: verdict === 'duplicate', wake: wakeOf(letter) }
  }
  return { delivered: false, because: verdict }
}

export function wakeOf([, , id, tenant, agent, agent_version, priority, epoch, owner]: Letter): Wake {
  return toWake({ id, tenant, agent, agent_version, priority, epoch, owner })
}
