// @ts-check
// A task's events as they come, its progress, and the text that it streams. The document holds the latest; those before
// are read when somebody asks.
/** @import { EventView } from './views.ts' */
import { read } from './api.js'
import { element, replace } from './dom.js'
import { problemBox, section } from './parts.js'
import { shownValue } from './value.js'
import { count, duration, inWords } from './words.js'

/** Rows of the log, characters of streamed text: the oldest of them leave. */
const MOST_ROWS = 1_000
const MOST_TEXT = 50_000
const EARLIER = 500
/** As near to its end as this, in pixels, the list goes along with what comes. */
const NEAR = 40

/** What a row says itself, of any event; and the events of which it says everything. */
const SAID = ['task', 'number', 'at', 'type']
const SAID_WHOLE = ['task.accepted', 'task.started', 'task.resumed', 'task.waiting', 'task.released', 'state.entered']
const SAID_WHOLE_OF_STEPS = ['step.started', 'step.completed', 'child.asked', 'child.ended', 'timer.fired', 'tokens']

/**
 * @param {string} taskId
 * @param {AbortSignal} signal
 */
export function createLog(taskId, signal) {
  const list = element('ol', { class: 'log', tabindex: 0, 'aria-label': 'Events, oldest first' })
  const before = element('div', {})
  const progress = element('div', { class: 'progress' })
  const streamed = element('pre', { class: 'streamed' })
  /** Number of the first row, of the last event. */
  let first = 1
  /** @type {number | undefined} */
  let last
  /** @type {number | undefined} */
  let begun

  /** @param {EventView} event */
  function rowOf(event) {
    const at = Date.parse(event.at)
    begun ??= at
    const more = Object.fromEntries(Object.entries(event).filter(([name]) => !SAID.includes(name)))
    const words = element('span', { class: 'words' }, inWords(event))
    const time = element('time', { datetime: event.at, title: event.at }, `+${duration(at - begun)}`)
    const number = element('span', { class: 'number' }, event.number)
    const isSaid = SAID_WHOLE.includes(event.type) || SAID_WHOLE_OF_STEPS.includes(event.type)
    if (isSaid || Object.keys(more).length === 0) return element('li', { class: kindOf(event) }, number, time, words)
    const details = element('details', {}, element('summary', {}, number, time, words))
    details.addEventListener('toggle', () => {
      if (details.open && details.childElementCount === 1) details.append(shownValue(more))
    })
    return element('li', { class: kindOf(event) }, details)
  }

  function drawEarlier() {
    const button = element('button', { onclick: earlier }, `Show earlier events (${count(first - 1)})`)
    replace(before, first > 1 && button)
  }

  async function earlier() {
    const after = Math.max(0, first - 1 - EARLIER)
    try {
      const page = await read(
        `/v1/tasks/${encodeURIComponent(taskId)}/events?after=${after}&limit=${first - 1 - after}`,
        { signal },
      )
      list.prepend(...page.events.map(rowOf))
      first = after + 1
      drawEarlier()
    } catch (error) {
      replace(before, problemBox(error))
    }
  }

  return {
    place: section('Events', progress, streamed, before, list),
    /** The number of the last event. */
    last: () => last,
    /** Nothing up to this number is here. @param {number} after */
    begin(after) {
      if (last !== undefined) return
      first = after + 1
      drawEarlier()
    },
    /** @param {EventView[]} events */
    add(events) {
      for (const event of events) {
        if (event.type === 'progress') drawProgress(progress, event)
        if (event.type === 'tokens') streamed.textContent = `${streamed.textContent}${event.text}`.slice(-MOST_TEXT)
        if (event.type.startsWith('task.') && event.type !== 'task.accepted') replace(progress)
      }
      const goesAlong = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR
      list.append(...events.map(rowOf))
      last = events.at(-1)?.number ?? last
      const tooMany = list.childElementCount - MOST_ROWS
      for (let left = tooMany; left > 0; left--) list.firstElementChild?.remove()
      if (tooMany > 0) {
        first += tooMany
        drawEarlier()
      }
      if (goesAlong) list.scrollTop = list.scrollHeight
    },
  }
}

/** @param {HTMLElement} place @param {EventView} event */
function drawProgress(place, { fraction, message }) {
  const words = typeof message === 'string' ? message : ''
  const bar = typeof fraction === 'number' && element('progress', { max: 1, value: fraction, 'aria-label': 'Progress' })
  replace(
    place,
    bar,
    element('span', {}, typeof fraction === 'number' ? `${Math.round(fraction * 100)} % ${words}` : words),
  )
}

/** @param {EventView} event */
function kindOf({ type }) {
  if (['task.failed', 'task.crashed', 'task.rejected', 'task.owner_lost', 'step.failed'].includes(type)) return 'bad'
  if (type === 'task.completed') return 'good'
  return type.startsWith('task.') || type.startsWith('state.') ? 'turn' : 'plain'
}
