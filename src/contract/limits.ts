// Bounds that protect every process. A value over one of them is refused at the edge, with nothing half-done (P9).

/** A JSON value larger than this leaves its row for the blob store. */
export const INLINE_VALUE_BYTES = 64 * 1024
/** The largest JSON value anywhere: input, output, context of a machine, result of a step. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024
/** The largest message to a task, and the largest single event. */
export const MAX_MESSAGE_BYTES = 256 * 1024
/** Unread messages that a mailbox holds before senders are refused with `overloaded`. */
export const MAX_MAILBOX = 10_000
/** Tasks in one page of a list; events in one page of a log. */
export const MAX_PAGE = 500
/** Hosts that may die while they run one task before it is quarantined. */
export const MAX_OWNER_DEATHS = 3
/** A death so long ago is forgotten when its task has come further since: machines go, and tasks may run for days. */
export const DEATHS_FORGOTTEN_MS = 10 * 60_000
/** Depth of tasks asking tasks; a loop of agents asking each other ends here. */
export const MAX_ASK_DEPTH = 16
/** The longest durable timer: a hundred years. */
export const MAX_TIMER_MS = 100 * 366 * 86_400_000
export const LEASE_MS = 3_000
export const LEASE_RENEWAL_MS = 1_000
