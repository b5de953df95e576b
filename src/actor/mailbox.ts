// What an actor knows of its mailbox.
import type { Message, TaskRow } from '../journal/journal.ts'

/** A nudge that says there is mail may get lost: so often at least the actor asks with a commit. */
const KNOWN_MS = 500

export class Mailbox {
  /** There is mail to load. */
  due = false
  #seen: number
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(read: number) {
    this.#seen = read
  }

  /** Those that were not seen before. */
  take(mail: Message[]): Message[] {
    const news = mail.filter(({ position }) => position > this.#seen)
    this.#seen = news.at(-1)?.position ?? this.#seen
    return news
  }

  /** What a commit was answered; `looked`: the store looked, and did not only repeat what it was told. */
  told(position: number, looked: boolean): void {
    if (looked) this.#toldAt = performance.now()
    if (position > this.#seen) this.due = true
  }

  /** For a commit that need not ask. */
  known({ state, mailPosition }: TaskRow): number | undefined {
    return state === 'running' && performance.now() - this.#toldAt < KNOWN_MS ? mailPosition : undefined
  }
}
