// What is told of a task's incarnation on a host: one span, by the GenAI conventions, with a span for each step and
// each commit below it. A task that slept or moved continues in a new span that is linked to its first one; no span is
// open for hours.
//
// An incarnation whose host was killed could not tell its own span, and what was told below it would hang in the air:
// its successor tells it, under the id that both can work out. One that was fenced keeps silent for the same reason.
import type { ActorExit } from '../actor/actor.ts'
import type { EventBody, TaskEvent } from '../contract/events.ts'
import type { Observation, Observe } from '../host/observe.ts'
import type { ActorCommit, CommitOutcome, TaskRow } from '../journal/journal.ts'
import { derivedSpanId, type OpenSpan, type SpanAttributes, startSpan } from '../telemetry/index.ts'

export interface IncarnationParts {
  /** As OpenTelemetry names it: `sqlite`, `postgresql`. */
  journalSystem: string
  /** The end of a task's log, oldest first. Only asked for when the task's host died. */
  lastEvents(taskId: string, upTo: number): Promise<TaskEvent[]>
}

export function observeIncarnations(parts: IncarnationParts): Observe {
  return (task) => new Incarnation(parts, task)
}

class Incarnation implements Observation {
  readonly around: Observation['around']
  readonly #parts: IncarnationParts
  readonly #task: TaskRow
  readonly #span: OpenSpan
  readonly #inherited: { traceparent: string | undefined; lastEvent: number }
  /** Most incarnations are one commit, which then needs no span beside theirs. */
  #first: { commit: ActorCommit; begun: number; ended: number } | undefined
  #commits = 0
  #state = ''

  constructor(parts: IncarnationParts, task: TaskRow) {
    this.#parts = parts
    this.#task = task
    this.#inherited = { traceparent: task.traceparent, lastEvent: task.lastEvent }
    const resumed = task.startedAt !== undefined
    this.#span = startSpan(`invoke_agent ${task.agent}`, {
      parent: task.traceparent,
      spanId: resumed ? laterId(task.id, task.lastEvent) : firstId(task.id),
      ...(resumed ? { linked: firstId(task.id) } : {}),
      kind: 'consumer',
      attributes: attributesOf(task),
    })
    // A child that this incarnation asks for belongs below it.
    const { traceparent } = this.#span
    if (traceparent !== undefined) task.traceparent = traceparent
    this.around = this.#span.isRecording
      ? { step: (_task, run, inner) => this.step(run, inner), commit: (commit, inner) => this.commit(commit, inner) }
      : { step: (_task, _run, inner) => inner(), commit: (_commit, inner) => inner() }
  }

  ended(exit: ActorExit): void {
    // It owned nothing, or no longer does: whoever owns the task tells what there is to tell.
    if (this.#commits === 0 || exit.kind === 'lost') return
    if (exit.kind === 'failed') this.#span.fail(exit.error)
    this.#span.set({ 'troupe.task.state': this.#state })
    if (this.#first !== undefined) {
      this.#span.set({ 'troupe.commit.ms': Math.round((this.#first.ended - this.#first.begun) * 1_000) / 1_000 })
    }
    this.#span.end()
  }

  private async step(
    run: { id: string; attempt: number; invocation: number },
    inner: () => ReturnType<Observation['around']['step']>,
  ) {
    const attributes = {
      'troupe.step.id': run.id,
      'troupe.step.attempt': run.attempt,
      'troupe.step.invocation': run.invocation,
    }
    const opened = this.#span.child(`step ${run.id}`, { attributes })
    const result = await opened.within(inner)
    opened.end(result.ok ? undefined : result.error)
    return result
  }

  private async commit(commit: ActorCommit, inner: () => Promise<CommitOutcome>): Promise<CommitOutcome> {
    const begun = clock()
    if (this.#first !== undefined) this.tellFirst(this.#first)
    const opened = this.#commits === 0 ? undefined : this.commitSpan(commit, begun)
    const outcome = await inner()
    if (!outcome.applied) {
      opened?.end({ code: `refused_${outcome.because}` })
      return outcome
    }
    opened?.end()
    this.#commits += 1
    this.#state = commit.state
    if (this.#commits === 1) {
      this.#first = { commit, begun, ended: clock() }
      if (this.#task.ownerDeaths > 0) void this.tellPredecessor()
    }
    for (const body of commit.events) this.tell(body)
    return outcome
  }

  private tellFirst({ commit, begun, ended }: { commit: ActorCommit; begun: number; ended: number }): void {
    this.#first = undefined
    this.commitSpan(commit, begun).end(undefined, ended)
  }

  private commitSpan(commit: ActorCommit, startedAt: number): OpenSpan {
    return this.#span.child('journal commit', {
      kind: 'client',
      startedAt,
      attributes: {
        'db.system.name': this.#parts.journalSystem,
        'db.operation.name': 'commit',
        'troupe.commit.events': commit.events.length,
        'troupe.task.state': commit.state,
      },
    })
  }

  private tell(body: EventBody): void {
    if (body.type === 'task.failed' || body.type === 'task.rejected' || body.type === 'task.crashed') {
      this.#span.fail(body.error)
      return
    }
    const told = eventAttributes(body)
    if (told !== undefined) this.#span.event(body.type, told)
  }

  private async tellPredecessor(): Promise<void> {
    const { traceparent, lastEvent } = this.#inherited
    const { id } = this.#task
    const events = await this.#parts.lastEvents(id, lastEvent).catch(() => [])
    const lost = whoWasLost(events.filter(({ number }) => number <= lastEvent))
    if (lost === undefined) return
    const isFirst = lost.started.body.type === 'task.started'
    startSpan(`invoke_agent ${this.#task.agent}`, {
      parent: traceparent,
      spanId: isFirst ? firstId(id) : laterId(id, lost.before),
      ...(isFirst ? {} : { linked: firstId(id) }),
      kind: 'consumer',
      startedAt: lost.started.at,
      attributes: attributesOf(this.#task),
    }).end({ code: 'owner_lost' }, lost.at)
  }
}

/** Its successor's log tells which incarnation died last, unless it ended well since. */
export function whoWasLost(events: TaskEvent[]): { started: TaskEvent; before: number; at: number } | undefined {
  const died = events.findLastIndex(({ body }) => body.type === 'task.owner_lost')
  const began = events.findLastIndex(({ body }) => body.type === 'task.started' || body.type === 'task.resumed')
  if (died < 0 || began < 0 || began > died) return undefined
  // What it reported before it was ours is in the same commit, before its start.
  const before = events.findLast(
    ({ body }, index) => index < began && body.type !== 'progress' && body.type !== 'tokens',
  )
  return { started: events[began]!, before: before?.number ?? 0, at: events[died]!.at }
}

function firstId(taskId: string): string {
  return derivedSpanId(taskId)
}

/** `lastEvent`: of the log when the incarnation began; it grows with each of them. */
function laterId(taskId: string, lastEvent: number): string {
  return derivedSpanId(`${taskId}#${lastEvent}`)
}

function attributesOf(task: TaskRow): SpanAttributes {
  const { id, tenant, agent, agentVersion, parent } = task
  return {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': agent,
    'gen_ai.agent.version': agentVersion,
    'gen_ai.agent.id': `${agent}@${agentVersion}`,
    'troupe.task.id': id,
    'troupe.tenant': tenant,
    ...(parent === undefined ? {} : { 'troupe.task.parent': parent.taskId }),
  }
}

/** Names and ids; never what a task works on. Undefined: the span shows it otherwise, or need not. */
function eventAttributes(body: EventBody): SpanAttributes | undefined {
  switch (body.type) {
    case 'state.entered':
      return { 'troupe.state': typeof body.state === 'string' ? body.state : JSON.stringify(body.state) }
    case 'step.retrying':
      return { 'troupe.step.id': body.step, 'troupe.step.attempt': body.attempt, 'error.type': body.error.code }
    case 'child.asked':
      return { 'troupe.step.id': body.step, 'troupe.task.child': body.task, 'gen_ai.agent.name': body.agent }
    case 'child.ended':
      return { 'troupe.step.id': body.step, 'troupe.task.child': body.task, 'troupe.task.state': body.state }
    case 'task.waiting':
      return { 'troupe.waiting.for': body.for.kind }
    case 'message.received':
    case 'message.sent':
      return { 'troupe.message.name': body.name }
    case 'timer.fired':
      return { 'troupe.timer': body.timer }
    case 'task.cancel_requested':
    case 'task.cancelled':
    case 'task.released':
      return {}
    default:
      return undefined
  }
}

function clock(): number {
  return performance.timeOrigin + performance.now()
}
