// @ts-check
// Where a task's time went: its spans as a waterfall.
/** @import { SpanView } from './views.ts' */
/** @import { Row, Span } from './waterfall.js' */
import { read } from './api.js'
import { element, replace, styled } from './dom.js'
import { emptyTable, problemBox, section } from './parts.js'
import { layOut, ticksOf } from './waterfall.js'
import { count, duration } from './words.js'

/** More of them only when somebody asks. */
const FIRST_ROWS = 60

/**
 * Gives a function that reads it again.
 * @param {HTMLElement} place
 * @param {string} taskId
 * @param {AbortSignal} signal
 */
export function taskTrace(place, taskId, signal) {
  let isWhole = false
  /** @type {Span[]} */
  let spans = []

  function draw() {
    const { ms, rows } = layOut(spans, Date.now())
    const left = isWhole ? 0 : rows.length - FIRST_ROWS
    const more = element('button', { class: 'quiet', onclick: drawAll }, `${count(left)} more`)
    const shown = left > 0 ? rows.slice(0, FIRST_ROWS) : rows
    const nothing = rows.length === 0 && element('p', { class: 'note' }, 'No span is known yet.')
    replace(place, section('Trace', nothing, rows.length > 0 && waterfall(shown, ms, taskId), left > 0 && more))
  }

  function drawAll() {
    isWhole = true
    draw()
  }

  return async () => {
    try {
      /** @type {{ spans: SpanView[] }} */
      const answer = await read(`/v1/tasks/${encodeURIComponent(taskId)}/trace`, { signal })
      spans = answer.spans.map(timed)
      if (!signal.aborted) draw()
    } catch (error) {
      if (!signal.aborted) replace(place, section('Trace', problemBox(error)))
    }
  }
}

/** @param {SpanView} span @returns {Span} */
function timed({ startedAt, endedAt, ...span }) {
  const ended = endedAt === undefined ? {} : { endedAt: Date.parse(endedAt) }
  return { ...span, startedAt: Date.parse(startedAt), ...ended }
}

/** @param {Row[]} rows @param {number} ms @param {string} taskId */
function waterfall(rows, ms, taskId) {
  const axis = element('div', { class: 'axis', 'aria-hidden': 'true' })
  for (const { at, from } of ticksOf(ms)) axis.append(styled(element('span', {}, duration(at)), { left: `${from}%` }))
  const { whole, body } = emptyTable('trace', ['Span', 'When', 'Took'])
  const lane = whole.querySelector('th:nth-child(2)')
  lane?.setAttribute('class', 'lane')
  lane?.append(axis)
  body.append(...rows.map((row) => drawn(row, taskId)))
  return whole
}

/** @param {Row} row @param {string} taskId */
function drawn({ span, depth, from, width, ms, open }, taskId) {
  const child = span.attributes?.['troupe.task.id']
  const name =
    typeof child === 'string' && child !== taskId ? element('a', { href: `#/tasks/${child}` }, span.name) : span.name
  const bar = element('span', {
    class: `bar ${span.error === undefined ? '' : 'bad'} ${open ? 'open' : ''}`,
    title: span.error ?? span.name,
  })
  return element(
    'tr',
    {},
    styled(element('th', { scope: 'row' }, name), { '--depth': String(depth) }),
    element('td', { class: 'lane' }, element('div', {}, styled(bar, { left: `${from}%`, width: `${width}%` }))),
    element(
      'td',
      { class: 'took' },
      duration(ms),
      open ? ' so far' : '',
      span.error !== undefined && element('span', { class: 'bad-word' }, ' failed'),
    ),
  )
}
