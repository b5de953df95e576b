// Every failure that leaves a room has a code. The code is the contract: it never changes its meaning, the message
// may. `fix` tells the reader what to do. docs/guides/errors.md lists the codes; a test keeps both equal.
import { refusalOf } from './refusal.ts'

/** code → [HTTP status, may the same call succeed later without a change?, what to do] */
export const ERROR_CODES = {
  // what the caller sent
  invalid_input: [400, false, 'Compare the input with the agent’s input schema: GET /v1/agents/{name}.'],
  invalid_request: [400, false, 'Compare the request with /openapi.json.'],
  value_too_large: [413, false, 'Store large content as a document and pass its id.'],
  input_refused: [422, false, 'The screening policy refused the input; see `detail` for the rule.'],
  unauthenticated: [401, false, 'Send a valid API key or token in the Authorization header.'],
  forbidden: [403, false, 'Use a key whose role allows this.'],
  not_found: [404, false, 'Check the id; things of other tenants are not visible.'],
  method_not_allowed: [405, false, 'Use a method that the answer’s Allow header names.'],
  request_too_slow: [408, true, 'Send the request in one go; a slow upload passes while it makes progress.'],
  unsupported_media_type: [415, false, 'Send application/json, or multipart/form-data for documents.'],
  unknown_agent: [
    404,
    false,
    'List the agents: `troupe agents ls`, GET /v1/agents. Add a missing one: `troupe plugin add`.',
  ],
  idempotency_conflict: [409, false, 'This Idempotency-Key was used with a different request; use a new key.'],
  wrong_state: [409, false, 'Its state does not allow this: do what the message says, or read it again.'],
  precondition_failed: [412, false, 'The thing changed; read it again.'],
  rate_limited: [429, true, 'Wait as long as Retry-After says.'],
  quota_exceeded: [429, true, 'The tenant’s quota or budget is used up; raise it or wait for its next period.'],
  // the state of the platform
  overloaded: [503, true, 'A bounded queue is full. Wait as long as Retry-After says.'],
  unavailable: [503, true, 'A part that this needs is not reachable; `troupe doctor` names it.'],
  draining: [503, true, 'This process is shutting down; ask another one.'],
  internal: [500, false, 'A defect of Troupe. Report it with the request id.'],
  // how a task can fail
  step_failed: [
    500,
    false,
    'The agent’s step threw, as the message says. `troupe tasks retry` runs it from its last good state.',
  ],
  step_timeout: [504, true, 'A step ran longer than its timeout.'],
  child_failed: [500, false, 'A task that this one asked for failed; see its id in `cause`.'],
  agent_crashed: [500, false, 'The agent crashed more often than its restart budget allows.'],
  deadline_exceeded: [504, false, 'Give the task a later deadline.'],
  cancelled: [499, false, 'The task was cancelled.'],
  task_poisoned: [
    500,
    false,
    'Three hosts, or plug-in processes, died while they ran this task. Their log says how; mend that before retrying it.',
  ],
  output_invalid: [
    500,
    false,
    'The agent’s output does not fit its own output schema; report it to the agent’s author.',
  ],
  budget_exceeded: [402, false, 'The task spent its budget; give it a larger one.'],
  llm_not_configured: [501, false, 'Set TROUPE_LLM_BASE_URL and TROUPE_LLM_MODEL, or use what works offline.'],
  permission_denied: [403, false, 'The agent’s manifest does not declare this permission.'],
  // how an agent or a plug-in can be wrong
  agent_invalid: [422, false, 'Change the definition as the message says.'],
  machine_not_durable: [422, false, 'Replace what cannot survive a crash: use step(), ask() or tell().'],
  snapshot_incompatible: [409, false, 'Deploy the version the task started with, or declare `migrate`.'],
  plugin_invalid: [422, false, 'Correct the package’s package.json or modules as the message says.'],
  // the stores
  journal_corrupt: [500, false, 'Restore the data directory from a backup: `troupe restore`.'],
  backup_damaged: [500, false, 'Restore another backup: files of this one are not what was written.'],
  journal_newer: [500, false, 'This data was written by a newer Troupe; start that version.'],
  journal_locked: [500, false, 'Another process uses this data directory; stop it or choose another with --data.'],
  disk_full: [503, true, 'Free space on the volume of the data directory; nothing accepted was lost.'],
  journal_unavailable: [503, true, 'The database does not answer; Troupe goes on when it does.'],
  commit_refused: [409, false, 'Another host owns this task now; nothing is to be done.'],
  bus_unavailable: [503, true, 'NATS does not answer; check its address and that JetStream is on.'],
  configuration_invalid: [500, false, 'Correct the setting that the message names.'],
  invalid_command: [400, false, 'See `troupe help`, and `troupe <command> --help`.'],
  address_in_use: [500, false, 'Stop what listens there, or choose another port with --port.'],
  // the workers
  model_not_found: [404, false, 'List the models: `troupe models`.'],
  model_drifted: [409, false, 'Its inputs or answers have moved: look at the data, then `troupe train`.'],
  model_invalid: [422, false, 'The model was refused; see the reason.'],
  collection_not_found: [404, false, 'Create it by putting a document into it.'],
  worker_unavailable: [503, true, 'The worker is restarting or its queue is full.'],
  // documents
  document_unreadable: [422, false, 'The file is damaged, encrypted or not what its name says; see the message.'],
  address_refused: [
    422,
    false,
    'Ask the operator to allow the address in TROUPE_DOCUMENT_URLS, or a callback’s in the policy.',
  ],
  delivery_failed: [502, false, 'Correct the receiver; `troupe tasks retry` of the delivery calls it once more.'],
  limit_exceeded: [422, false, 'The content is over a limit that protects the host; see the message.'],
  query_refused: [422, false, 'Only a read-only SELECT over the given tables is allowed.'],
} as const satisfies Record<string, readonly [number, boolean, string]>

export type ErrorCode = keyof typeof ERROR_CODES

/** How an error looks in the journal, in replies and in problem+json. */
export interface ErrorRecord {
  code: ErrorCode
  message: string
  /** Anything that helps: the field, the child task, the step. Never a secret. */
  detail?: Record<string, unknown>
  cause?: ErrorRecord
}

export class TroupeError extends Error {
  readonly code: ErrorCode
  readonly detail: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: { detail?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'TroupeError'
    this.code = code
    this.detail = options.detail
  }

  get status(): number {
    return ERROR_CODES[this.code][0]
  }

  /** May the same call succeed later? Decides about retries. */
  get passing(): boolean {
    return ERROR_CODES[this.code][1]
  }

  get fix(): string {
    return ERROR_CODES[this.code][2]
  }

  /** For a terminal. What to do begins a sentence of its own; below a message of many lines it begins a line. */
  get words(): string {
    const end = this.message.includes('\n') ? '\n' : /[.!?…]$/.test(this.message) ? ' ' : '. '
    return `${this.code}: ${this.message}${end}${this.fix}`
  }
}

/** More of a message than anybody reads: a server's page of HTML must not make the event too large that tells of it. */
const LONGEST_MESSAGE = 10_000

/** In words, whatever was thrown, with what was behind it (`fetch failed` alone tells nobody why): also what throws when it is looked at. */
export function messageOf(thrown: unknown): string {
  try {
    const said: string[] = []
    for (const error of causesOf(thrown)) {
      const words = refusalOf(error) ?? wordsOf(error)
      if (!said.some((known) => known.includes(words))) said.push(words)
    }
    return shortened(said.join(': '))
  } catch {
    return 'what was thrown cannot be read'
  }
}

/** A failed connection has a code and no message. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message || String((error as { code?: unknown }).code ?? '') : String(error)
}

/** More is a chain that nobody reads to its end, or an error that is its own cause. */
const MOST_CAUSES = 5

/** What was thrown, then its cause, then that one's. */
function causesOf(thrown: unknown): unknown[] {
  const found = [thrown]
  for (let at = thrown; found.length < MOST_CAUSES && at instanceof Error && at.cause instanceof Error; at = at.cause) {
    found.push(at.cause)
  }
  return found
}

/** Node kept it from an isolated plug-in: no repetition mends that. */
export function wasRefused(thrown: unknown): boolean {
  try {
    return causesOf(thrown).some((error) => refusalOf(error) !== undefined)
  } catch {
    return false
  }
}

function shortened(message: string): string {
  if (message.length <= LONGEST_MESSAGE) return message
  return `${message.slice(0, LONGEST_MESSAGE).toWellFormed()} … and ${message.length - LONGEST_MESSAGE} characters more`
}

/** Any thrown value becomes one coded error, once. What already has a code keeps it. */
export function toTroupeError(thrown: unknown, code: ErrorCode = 'internal'): TroupeError {
  if (thrown instanceof TroupeError) return thrown
  return new TroupeError(wasRefused(thrown) ? 'permission_denied' : code, messageOf(thrown), { cause: thrown })
}

export function toErrorRecord(thrown: unknown, code: ErrorCode = 'internal'): ErrorRecord {
  const error = toTroupeError(thrown, code)
  const record: ErrorRecord = { code: error.code, message: shortened(error.message) }
  if (error.detail !== undefined) record.detail = error.detail
  if (error.cause instanceof TroupeError) record.cause = toErrorRecord(error.cause)
  return record
}

export function fromErrorRecord(record: ErrorRecord): TroupeError {
  const options: { detail?: Record<string, unknown>; cause?: unknown } = {}
  if (record.detail !== undefined) options.detail = record.detail
  if (record.cause !== undefined) options.cause = fromErrorRecord(record.cause)
  return new TroupeError(record.code, record.message, options)
}
