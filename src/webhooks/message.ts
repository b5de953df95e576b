// What a receiver gets: the envelope and the three headers of Standard Webhooks 1.0. The id stays the same over all attempts,
// so that a receiver can drop what it has seen; the time is that of the attempt, so that it can refuse what is stale.
import { createHmac } from 'node:crypto'
import type { CallbackEvent } from '../contract/callbacks.ts'
import type { Task } from '../contract/task.ts'

/** A larger output stays behind: the receiver reads the task. */
const MOST_BYTES = 64 * 1024

export function messageOf(
  task: Task,
  view: Record<string, unknown>,
  news: { event: CallbackEvent; number: number; at: number },
): string {
  const { event: type, number, at } = news
  const timestamp = new Date(at).toISOString()
  // Answered or retried since: what it is now would contradict the news.
  const isCurrent = task.lastEvent === number
  const { input: _, ...shown } = view
  const { id, agent, labels, metadata, links } = shown
  const data = isCurrent ? shown : { id, agent, labels, metadata, links }
  const whole = JSON.stringify({ type, timestamp, data: { ...data, event: number } })
  if (Buffer.byteLength(whole) <= MOST_BYTES) return whole
  const { output: __, ...rest } = data as Record<string, unknown>
  return JSON.stringify({ type, timestamp, data: { ...rest, event: number, omitted: ['output'] } })
}

export function signedHeaders(message: {
  id: string
  /** The receiver may know any of them. */
  secrets: string[]
  body: string
  at: number
}): Record<string, string> {
  const { id, secrets, body, at } = message
  const timestamp = String(Math.floor(at / 1_000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  })
  return {
    'content-type': 'application/json',
    'user-agent': 'troupe',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
