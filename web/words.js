// @ts-check
// Durations, sums, states and events in words.
/** @import { EventView, TaskError } from './views.ts' */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `364 ms`, `2.2 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h`. @param {number} ms */
export function duration(ms) {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`
  // From here 9.96 s would be written 10.0 s.
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return two(ms, MINUTE, 'min', SECOND, 's')
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min')
  return two(ms, DAY, 'd', HOUR, 'h')
}

/**
 * @param {number} ms
 * @param {number} unit
 * @param {string} name
 * @param {number} smaller
 * @param {string} smallerName
 */
function two(ms, unit, name, smaller, smallerName) {
  const rest = Math.floor((ms % unit) / smaller)
  return `${Math.floor(ms / unit)} ${name}${rest === 0 ? '' : ` ${rest} ${smallerName}`}`
}

/** How long ago. @param {string} at @param {number} now */
export function age(at, now) {
  const ms = now - Date.parse(at)
  if (ms < SECOND) return 'now'
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s ago`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h ago`
  return `${Math.floor(ms / DAY)} d ago`
}

/** What a task took, or has taken so far. @param {{ createdAt: string, endedAt?: string }} task @param {number} now */
export function took(task, now) {
  return duration((task.endedAt === undefined ? now : Date.parse(task.endedAt)) - Date.parse(task.createdAt))
}

/** Groups of three. @param {number} number */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Millionths of a currency that only the operator knows. @param {number} micros */
export function cost(micros) {
  const whole = micros / 1_000_000
  return micros === 0 ? '0' : whole.toFixed(whole < 0.01 ? 6 : whole < 1 ? 4 : 2)
}

/** @param {string} state */
export function hasEnded(state) {
  return ['completed', 'failed', 'cancelled', 'rejected'].includes(state)
}

/** @param {{ kind: string, detail?: string, until?: string }} waiting */
export function waitingFor({ kind, detail, until }) {
  const what = {
    child: 'another task',
    person: 'a person',
    timer: 'a timer',
    message: 'a message',
    restart: 'a restart',
  }
  const words = what[/** @type {keyof typeof what} */ (kind)] ?? kind
  return `${words}${detail === undefined ? '' : ` (${detail})`}${until === undefined ? '' : ` until ${until}`}`
}

/** One line for an event; its fields depend on its type (contract/events.ts). @param {EventView} event @returns {string} */
export function inWords(event) {
  const error = /** @type {TaskError | undefined} */ (event.error)
  const failure = error === undefined ? '' : `: ${error.code}: ${error.message}`
  switch (event.type) {
    case 'task.accepted':
      return `accepted for ${event.agent} ${event.version}`
    case 'task.started':
      return `started on ${event.host}`
    case 'task.resumed':
      return `resumed on ${event.host} (${event.because})`
    case 'task.waiting':
      return `waiting for ${waitingFor(/** @type {any} */ (event.for))}`
    case 'task.owner_lost':
      return `its host ${event.host} died; it moves on`
    case 'task.crashed':
      return `crashed, starts again in ${duration(Number(event.restartInMs))}${failure}`
    case 'state.entered':
      return `state ${stateInWords(event.state)}`
    case 'step.completed':
      return `step ${stepInWords(event.step)} done in ${duration(Number(event.ms))}`
    case 'step.retrying':
      return `step ${stepInWords(event.step)} failed, again in ${duration(Number(event.inMs))}${failure}`
    case 'child.asked':
      return `asked ${event.agent} (${event.task})`
    case 'child.ended':
      return `${event.task} ${event.state}`
    case 'progress':
      return ['progress', shareOf(event.fraction), event.message].filter((part) => part !== undefined).join(' ')
    case 'tokens':
      return String(event.text)
    case 'emitted':
      return `emitted ${/** @type {{ type: string }} */ (event.event).type}`
    default: {
      const step = event.step === undefined ? undefined : stepInWords(event.step)
      const what = [step, event.name, event.timer, event.reason].find((value) => typeof value === 'string')
      const verb = event.type.replace('.', ' ').replaceAll('_', ' ')
      return `${verb}${what === undefined ? '' : ` ${what}`}${failure}`
    }
  }
}

/** @param {unknown} fraction */
function shareOf(fraction) {
  return typeof fraction === 'number' ? `${Math.round(fraction * 100)} %` : undefined
}

/** A machine's step is named by the place of its state, `0.machine.state`: the state is what a reader knows. @param {unknown} step */
function stepInWords(step) {
  return String(step).replace(/^\d+\.[^.]+\./, '')
}

/** xstate's value: a name, or names below names. @param {unknown} state @returns {string} */
function stateInWords(state) {
  if (typeof state !== 'object' || state === null) return String(state)
  return Object.entries(state)
    .map(([name, below]) => (isEmpty(below) ? name : `${name}.${stateInWords(below)}`))
    .join(' + ')
}

/** @param {unknown} value */
function isEmpty(value) {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
