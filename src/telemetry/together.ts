// Spans that are told when they are over, together with those that were over in the same turn of the event loop: the
// same code again and again costs less than once in each task, amid its other work (ADR 23).

export interface Over {
  tell(): void
}

/** As many are told at once: nobody's turn shall wait for a millisecond of it. */
const MOST = 256

const over: Over[] = []

/** One turn later than the next: in that one the journal begins its commits, and while the disk works there is time. */
export function tellTogether(one: Over): void {
  over.push(one)
  if (over.length === 1) setImmediate(setImmediate, tellAll)
  else if (over.length >= MOST) tellAll()
}

export function tellAll(): void {
  for (const one of over) one.tell()
  over.length = 0
}
