// Progress and tokens, coalesced: a step may report as often as it likes, and costs at most ten commits a second.
// Of progress the newest of each step counts; tokens are joined.
import type { EventBody } from '../contract/events.ts'
import type { Usage } from '../contract/task.ts'
import type { Report } from './steps.ts'
import type { Turn } from './turn.ts'

const INTERVAL_MS = 100
/** Joined tokens in one event; a longer text goes on in the next. */
const MAX_TEXT = 16_384

export class Chatter implements Report {
  usage: Usage | undefined
  private events: EventBody[] = []
  private timer: NodeJS.Timeout | undefined
  private readonly onDue: () => void

  constructor(onDue: () => void) {
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

  spend(total: Usage): void {
    this.usage = total
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
