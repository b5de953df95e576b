// What a running step says of itself. Progress and tokens, coalesced: a step may report as often as it likes, and costs at most ten commits a second.
// Of progress the newest of each step counts; tokens are joined.

import { TroupeError } from '../contract/errors.ts'
import type { EventBody } from '../contract/events.ts'
import type { Budget, Usage } from '../contract/task.ts'
import type { Report } from './steps.ts'
import type { Turn } from './turn.ts'

const INTERVAL_MS = 100
/** Joined tokens in one event; a longer text goes on in the next. */
const MAX_TEXT = 16_384

export class Chatter implements Report {
  /** What the task has spent; absent while it spent nothing. */
  usage: Usage | undefined
  private readonly budget: Budget | undefined
  private events: EventBody[] = []
  private timer: NodeJS.Timeout | undefined
  private readonly onDue: () => void

  constructor(task: { usage?: Usage; budget?: Budget }, onDue: () => void) {
    this.usage = task.usage
    this.budget = task.budget
    this.onDue = onDue
  }

  progress(report: { step: string; fraction?: number; message?: string; data?: unknown }): void {
    const event: EventBody = { type: 'progress', ...report }
    const last = this.events.findIndex((known) => known.type === 'progress' && known.step === report.step)
    if (last >= 0) this.events[last] = event
    else this.events.push(event)
    this.arm()
  }

  token(step: string, text: string): void {
    const last = this.events.at(-1)
    if (last?.type === 'tokens' && last.step === step && last.text.length < MAX_TEXT) last.text += text
    else this.events.push({ type: 'tokens', step, text })
    this.arm()
  }

  spend(more: Partial<Usage>): void {
    const { inputTokens = 0, outputTokens = 0, costMicros = 0 } = this.usage ?? {}
    const total = {
      inputTokens: inputTokens + (more.inputTokens ?? 0),
      outputTokens: outputTokens + (more.outputTokens ?? 0),
      costMicros: costMicros + (more.costMicros ?? 0),
    }
    this.usage = total
    const { tokens = Number.POSITIVE_INFINITY, costMicros: cost = Number.POSITIVE_INFINITY } = this.budget ?? {}
    if (total.inputTokens + total.outputTokens > tokens || total.costMicros > cost) {
      throw new TroupeError('budget_exceeded', 'The task has spent its budget.', { detail: { ...total } })
    }
  }

  drainInto(turn: Turn): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.events.length === 0) return
    for (const event of this.events) turn.event(event)
    this.events = []
  }

  stop(): void {
    clearTimeout(this.timer)
  }

  private arm(): void {
    this.timer ??= setTimeout(this.onDue, INTERVAL_MS)
  }
}
