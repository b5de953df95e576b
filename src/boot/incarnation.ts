// What is told of a task's incarnation on a host: one span, by the GenAI conventions, with a span for each step and
// each commit below it. A task that slept or moved continues in a new span that is linked to its first one; no span is
// open for hours.
//
// An incarnation whose host was killed could not tell its own span, and what was told below it would hang in the air:
// its successor tells it, under the id that both can work out. One that was fenced keeps silent for the same reason.
import type { ActorExit } from '../actor/actor-parts.ts'
import type { Around, SeenStep } from '../actor/steps.ts'
import type { StepResult } from '../actor/turn.ts'
import type { EventBody, TaskEvent } from '../contract/events.ts'
import type { Observation, Observe } from '../host/observe.ts'
import type { ActorCommit, CommitOutcome, TaskRow } from '../journal/journal.ts'
import {
  derivedSpanId,
  describeSpans,
  type OpenSpan,
  type Over,
  type SpanAttributes,
  type SpanDescription,
  shortStep,
  startSpan,
  tellSpan,
  tellTogether,
} from '../telemetry/index.ts'

export interface IncarnationParts {
  /** As OpenTelemetry names it: `sqlite`, `postgresql`. */
  journalSystem: string
  /** The end of a task's log, oldest first. Only asked for when the task's host died. */
  lastEvents(taskId: string, upTo: number): Promise<TaskEvent[]>
}

export function observeIncarnations(parts: IncarnationParts): Observe {
  return (task) => new Incarnation(parts, task)
}

/** Kept as small as it can be: most incarnations are one commit, and their span is made when they end. */
class Incarnation implements Observation, Around, Over {
  readonly #parts: IncarnationParts
  readonly #task: TaskRow
  readonly #began = clock()
  readonly #parent: string | undefined
  /** Of the log when it began; undefined: it is the first. */
  readonly #resumedAfter: number | undefined
  #span: OpenSpan | undefined
  #commits = 0
  #state = ''
  /** When the commit under way began. */
  #committing = 0
  /** The first one gets no span beside its incarnation's while it is the only one. */
  #first: ActorCommit | undefined
  #firstMs = 0
  #endedAt = 0
  #error: unknown

  constructor(parts: IncarnationParts, task: TaskRow) {
    this.#parts = parts
    this.#task = task
    this.#parent = task.traceparent
    this.#resumedAfter = task.startedAt === undefined ? undefined : task.lastEvent
  }

  get around(): Around {
    return this
  }

  ended(exit: ActorExit): void {
    // It owned nothing, or no longer does: whoever owns the task tells what there is to tell.
    if (this.#commits === 0 || exit.kind === 'lost') return
    if (this.#span === undefined) {
      this.#endedAt = this.#committing + this.#firstMs
      if (exit.kind === 'failed') this.#error = exit.error
      tellTogether(this)
      return
    }
    const span = this.#span
    if (exit.kind === 'failed') span.fail(exit.error)
    span.set({ 'troupe.task.state': this.#state })
    if (this.#first !== undefined) span.set({ 'troupe.commit.ms': this.#firstMs })
    span.end()
  }

  /** One commit, and nothing below it. */
  tell(): void {
    const { id, parent } = this.#task
    const attributes: SpanAttributes = { 'troupe.task.id': id, 'troupe.commit.ms': this.#firstMs }
    if (parent !== undefined) attributes['troupe.task.parent'] = parent.taskId
    const again = this.#resumedAfter !== undefined
    tellSpan(descriptionOf(this.#task, this.#state), {
      story: storyOf(id, this.#resumedAfter),
      linked: again ? derivedSpanId(storyOf(id, undefined)) : undefined,
      parent: this.#parent,
      startedAt: this.#began,
      endedAt: this.#endedAt,
      error: this.#error,
      attributes,
    })
  }

  async step(_task: TaskRow, run: SeenStep, inner: () => Promise<StepResult>): Promise<StepResult> {
    const attributes = {
      'troupe.step.id': run.id,
      'troupe.step.attempt': run.attempt,
      'troupe.step.invocation': run.invocation,
    }
    const opened = this.span().child(`step ${shortStep(this.#task.agent, run.id)}`, { attributes })
    const result = await opened.within(inner)
    opened.end(result.ok ? undefined : result.error)
    return result
  }

  committing(commit: ActorCommit): void {
    if (this.#first !== undefined) this.tellFirst(this.#first)
    this.#committing = clock()
    if (commit.children === undefined) return
    // What this incarnation asks for belongs below it.
    const { traceparent } = this.span()
    if (traceparent !== undefined) for (const child of commit.children) child.traceparent = traceparent
  }

  committed(commit: ActorCommit, outcome: CommitOutcome): void {
    if (!outcome.applied) {
      if (this.#commits > 0) this.commitSpan(commit).end({ code: `refused_${outcome.because}` })
      return
    }
    this.#commits += 1
    this.#state = commit.state
    if (this.#commits === 1) {
      this.#first = commit
      this.#firstMs = Math.round((clock() - this.#committing) * 1_000) / 1_000
      if (this.#task.ownerDeaths > 0) void this.tellPredecessor()
    } else this.commitSpan(commit).end()
    for (const body of commit.events) this.event(body)
  }

  private span(): OpenSpan {
    this.#span ??= startSpan(`invoke_agent ${this.#task.agent}`, {
      ...whereOf(this.#task.id, this.#resumedAfter),
      parent: this.#parent,
      kind: 'consumer',
      startedAt: this.#began,
      attributes: attributesOf(this.#task),
    })
    return this.#span
  }

  private tellFirst(commit: ActorCommit): void {
    this.#first = undefined
    this.commitSpan(commit).end(undefined, this.#committing + this.#firstMs)
  }

  private commitSpan(commit: ActorCommit): OpenSpan {
    return this.span().child('journal commit', {
      kind: 'client',
      startedAt: this.#committing,
      attributes: {
        'db.system.name': this.#parts.journalSystem,
        'db.operation.name': 'commit',
        'troupe.commit.events': commit.events.length,
        'troupe.task.state': commit.state,
      },
    })
  }

  private event(body: EventBody): void {
    if (body.type === 'task.failed' || body.type === 'task.rejected' || body.type === 'task.crashed') {
      this.span().fail(body.error)
      return
    }
    const told = eventAttributes(body)
    if (told !== undefined) this.span().event(body.type, told)
  }

  private async tellPredecessor(): Promise<void> {
    const upTo = this.#resumedAfter ?? 0
    const { id, agent } = this.#task
    const events = await this.#parts.lastEvents(id, upTo).catch(() => [])
    const lost = whoWasLost(events.filter(({ number }) => number <= upTo))
    if (lost === undefined) return
    startSpan(`invoke_agent ${agent}`, {
      ...whereOf(id, lost.started.body.type === 'task.started' ? undefined : lost.before),
      parent: this.#parent,
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

/** What an incarnation's id is derived from, so that others can name it: the log grows with each, so its length tells them apart. */
function storyOf(taskId: string, resumedAfter: number | undefined): string {
  return resumedAfter === undefined ? taskId : `${taskId}#${resumedAfter}`
}

function whereOf(taskId: string, resumedAfter: number | undefined): { spanId: string; linked: string | undefined } {
  const spanId = derivedSpanId(storyOf(taskId, resumedAfter))
  return { spanId, linked: resumedAfter === undefined ? undefined : derivedSpanId(storyOf(taskId, undefined)) }
}

function attributesOf(task: TaskRow): SpanAttributes {
  const { id, parent } = task
  return {
    ...sharedAttributes(task),
    'troupe.task.id': id,
    ...(parent === undefined ? {} : { 'troupe.task.parent': parent.taskId }),
  }
}

/** Those that many tasks have alike. */
function sharedAttributes({ tenant, agent, agentVersion }: TaskRow): SpanAttributes {
  return {
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': agent,
    'gen_ai.agent.version': agentVersion,
    'gen_ai.agent.id': `${agent}@${agentVersion}`,
    'troupe.tenant': tenant,
  }
}

/** Of one tenant's tasks of one agent. */
interface Described {
  version: string
  state: string
  description: SpanDescription
}

/** Tenants may be many, versions may come and go. */
const MOST_TENANTS = 1_000
const MOST_OF_AN_AGENT = 16
const described = new Map<string, Map<string, Described[]>>()

/** What was described before is found without making a key: that would cost as much as the span. */
function descriptionOf(task: TaskRow, state: string): SpanDescription {
  const { tenant, agent, agentVersion: version } = task
  let agents = described.get(tenant)
  if (agents === undefined) {
    if (described.size >= MOST_TENANTS) described.clear()
    agents = new Map()
    described.set(tenant, agents)
  }
  let known = agents.get(agent)
  if (known === undefined) {
    known = []
    agents.set(agent, known)
  }
  for (const one of known) if (one.version === version && one.state === state) return one.description
  if (known.length >= MOST_OF_AN_AGENT) known.length = 0
  const attributes = { ...sharedAttributes(task), 'troupe.task.state': state }
  const description = describeSpans(`invoke_agent ${agent}`, 'consumer', attributes)
  known.push({ version, state, description })
  return description
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

const ORIGIN = performance.timeOrigin

function clock(): number {
  return ORIGIN + performance.now()
}
