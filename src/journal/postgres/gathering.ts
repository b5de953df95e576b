// Group commit: while flights are under way, what comes queues, and goes with the next one.
//
// Up to two flights at a time, so that this process works on the answers of one while Postgres works on the other;
// with one, each would wait for the other half of the time. Flights that are under way together never touch the same
// task, and ops leave in the order they came: all that concerns one task stays in order (P4).
import { TroupeError } from '../../contract/errors.ts'
import type { Op } from './flush.ts'
import type { Lane } from './lane.ts'

/** Ops in one flight, and waiting. More waiting means that the database is too slow for what comes. */
const MAX_FLIGHT = 256
const MAX_QUEUE = 20_000

/** A flight has a price of its own: fewer ops than these are better off in one than in two. */
const WORTH_A_FLIGHT = 12

export class Gathering {
  readonly #lanes: readonly Lane[]
  readonly #idle: Lane[]
  readonly #closing: AbortSignal
  #queue: Op[] = []
  /** The tasks that flights under way touch, and how many ops those carry. */
  readonly #touched = new Set<string>()
  #flying = 0
  #due = false
  /** The last flight was one task's: nobody else is likely to join the next one. */
  #alone = false
  #drained: (() => void) | undefined

  constructor(lanes: readonly Lane[], closing: AbortSignal) {
    this.#lanes = lanes
    this.#idle = [...lanes]
    this.#closing = closing
  }

  put(op: Op): void {
    if (this.#closing.aborted) {
      op.reject(new TroupeError('journal_unavailable', 'the journal is closed'))
      return
    }
    if (this.#queue.length >= MAX_QUEUE) {
      op.reject(new TroupeError('overloaded', `${MAX_QUEUE} commits wait for Postgres`))
      return
    }
    this.#queue.push(op)
    this.#soon()
  }

  /** What was queued is still written. */
  async close(): Promise<void> {
    if (this.#queue.length > 0 || this.#flying > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve
      })
    }
    await Promise.all(this.#lanes.map((lane) => lane.close()))
  }

  /** The rest of this turn of the event loop belongs to the same flight; of one task's next commit, what its calls add now. */
  #soon(): void {
    if (this.#due) return
    this.#due = true
    const send = () => {
      this.#due = false
      this.#send()
    }
    if (this.#alone && this.#queue[0]!.kind === 'commit') process.nextTick(send)
    else setImmediate(send)
  }

  #send(): void {
    while (this.#queue.length > 0) {
      const size = this.#worth()
      const lane = size === 0 ? undefined : this.#idle.pop()
      if (lane === undefined) return
      const ops = this.#take(size)
      if (ops.length === 0) {
        this.#idle.push(lane)
        return
      }
      this.#fly(lane, ops)
    }
  }

  /** How many ops the next flight may carry; 0: it waits for more of them, or for a flight to come back. */
  #worth(): number {
    const waiting = this.#queue.length
    if (this.#flying > 0) return waiting >= WORTH_A_FLIGHT && waiting * 2 >= this.#flying ? MAX_FLIGHT : 0
    if (this.#idle.length < 2 || waiting < 2 * WORTH_A_FLIGHT) return MAX_FLIGHT
    return Math.min(MAX_FLIGHT, Math.ceil(waiting / 2))
  }

  /** One commit per task and flight: the second could only be judged after the first. */
  #take(size: number): Op[] {
    const commits = new Set<string>()
    let end = 0
    for (; end < this.#queue.length && end < size; end++) {
      const op = this.#queue[end]!
      if (this.#flying > 0 && touches(op).some((id) => this.#touched.has(id))) break
      if (op.kind !== 'commit') continue
      const { taskId } = op.prepared.commit
      if (commits.has(taskId)) break
      commits.add(taskId)
    }
    return this.#queue.splice(0, end)
  }

  #fly(lane: Lane, ops: Op[]): void {
    const ids: string[] = []
    for (const op of ops) ids.push(...touches(op))
    for (const id of ids) this.#touched.add(id)
    this.#flying += ops.length
    this.#alone = ids.length <= 2 && ids[0] === ids.at(-1)
    lane.fly(ops, (answered) => {
      for (const id of ids) this.#touched.delete(id)
      this.#flying -= ops.length
      this.#idle.push(lane)
      this.#landed(answered)
    })
  }

  #landed(answered: boolean): void {
    if (!answered) {
      const error = new TroupeError('journal_unavailable', 'Postgres does not answer the commits before this one')
      for (const op of this.#queue.splice(0)) op.reject(error)
    }
    if (this.#queue.length > 0) this.#soon()
    else if (this.#flying === 0) this.#drained?.()
  }
}

function touches(op: Op): string[] {
  if (op.kind === 'accept') return [op.prepared.task.id]
  if (op.kind === 'deliver') return [op.prepared.message.to]
  const { commit, messages } = op.prepared
  if (messages.length === 0) return [commit.taskId]
  return [commit.taskId, ...messages.map(({ message }) => message.to)]
}
