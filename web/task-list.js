// @ts-check
// Tasks, newest first, read again every two seconds while somebody looks. What is filtered by stands in the address, so
// that it can be sent to a colleague; a page further back is a cursor, which is good for this key only, and does not.
/** @import { AgentView, TaskView } from './views.ts' */
/** @import { Visit } from './console.js' */
import { read } from './api.js'
import { element, redraw, replace } from './dom.js'
import { keepFresh } from './fresh.js'
import { commandLine, emptyTable, labelLinks, problemBox, stateMark, taskLink } from './parts.js'
import { age, took, waitingFor } from './words.js'

const PAGE = 50
const AGAIN_MS = 2_000
const NOT_ENDED = 'queued,running,waiting,input-required'

/** @type {[string, string][]} */
const STATES = [
  ['', 'any state'],
  [NOT_ENDED, 'not ended'],
  ...['queued', 'running', 'waiting', 'input-required', 'completed', 'failed', 'cancelled', 'rejected'].map(
    (state) => /** @type {[string, string]} */ ([state, state]),
  ),
]

/** @param {Visit} visit */
export function tasksPage({ place, query, signal }) {
  /** Of this page and of those before it; the newest page has none. @type {(string | undefined)[]} */
  const cursors = [undefined]
  const list = element('div', {}, element('p', { class: 'note' }, 'Reading …'))
  const table = emptyTable('tasks', ['State', 'Agent', 'Task', 'Accepted', 'Took', 'Labels'])
  const newer = element('button', { disabled: true, onclick: () => turn(-1) }, 'Newer')
  const older = element('button', { disabled: true, onclick: () => turn(1) }, 'Older')
  /** @type {string | undefined} */
  let next

  async function work() {
    const asked = new URLSearchParams(query)
    asked.set('limit', String(PAGE))
    const cursor = cursors.at(-1)
    if (cursor !== undefined) asked.set('cursor', cursor)
    const page = await read(`/v1/tasks?${asked}`, { signal })
    if (cursor !== cursors.at(-1)) return
    next = page.nextCursor
    newer.disabled = cursors.length === 1
    older.disabled = next === undefined
    if (page.tasks.length === 0) return replace(list, nothing(query))
    if (!table.whole.isConnected) replace(list, table.whole)
    const now = Date.now()
    redraw(
      table.body,
      page.tasks.map((/** @type {TaskView} */ task) => row(task, now)),
    )
  }
  const again = keepFresh({ ms: AGAIN_MS, signal, work, onRefusal: (problem) => replace(list, problemBox(problem)) })

  /** @param {1 | -1} direction */
  function turn(direction) {
    if (direction === -1) cursors.pop()
    else if (next !== undefined) cursors.push(next)
    again()
    window.scrollTo(0, 0)
  }

  replace(
    place,
    element('h1', {}, 'Tasks'),
    filters(query, signal),
    list,
    element('nav', { class: 'pager', 'aria-label': 'Pages of the list' }, newer, older),
  )
}

/**
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
function filters(query, signal) {
  const state = element(
    'select',
    { id: 'state', onchange: go },
    ...STATES.map(([value, words]) => option(value, words, query.get('state'))),
  )
  const agent = element('select', { id: 'agent', onchange: go }, option('', 'any agent', query.get('agent')))
  const label = element('input', {
    id: 'label',
    type: 'search',
    placeholder: 'key:value, key:value',
    value: query.getAll('label').join(', '),
    onchange: go,
  })
  // The agents may be gone by whose tasks the list is filtered.
  const chosen = query.get('agent')
  read('/v1/agents', { signal }).then(
    ({ agents }) => {
      const names = new Set(agents.map((/** @type {AgentView} */ { name }) => name))
      if (chosen !== null) names.add(chosen)
      agent.append(...[...names].map((name) => option(name, name, chosen)))
    },
    () => {},
  )

  function go() {
    const wanted = new URLSearchParams()
    if (state.value !== '') wanted.set('state', state.value)
    if (agent.value !== '') wanted.set('agent', agent.value)
    const parent = query.get('parent')
    if (parent !== null) wanted.set('parent', parent)
    const labels = label.value.split(',').map((one) => one.trim())
    for (const one of labels.filter((text) => text !== '')) wanted.append('label', one)
    location.hash = `#/tasks${wanted.size === 0 ? '' : `?${wanted}`}`
  }

  const parent = query.get('parent')
  return element(
    'div',
    { class: 'filters', role: 'search' },
    element('span', {}, element('label', { for: 'state' }, 'State'), state),
    element('span', {}, element('label', { for: 'agent' }, 'Agent'), agent),
    element('span', {}, element('label', { for: 'label' }, 'Label'), label),
    parent === null ? undefined : element('span', {}, 'asked for by ', taskLink(parent)),
    query.size === 0 ? undefined : element('a', { href: '#/tasks' }, 'all tasks'),
  )
}

/** @param {string} value @param {string} words @param {string | null} chosen */
function option(value, words, chosen) {
  return element('option', { value, selected: value === (chosen ?? '') }, words)
}

/**
 * @param {TaskView} task
 * @param {number} now
 * @returns {import('./dom.js').Keyed}
 */
function row(task, now) {
  return {
    key: task.id,
    same: `${task.state} ${task.lastEvent} ${task.updatedAt}`,
    draw: () => drawn(task),
    touch(shown) {
      for (const cell of shown.querySelectorAll('.is-age')) cell.textContent = age(task.createdAt, now)
      for (const cell of shown.querySelectorAll('.is-took')) cell.textContent = took(task, now)
    },
  }
}

/** @param {TaskView} task */
function drawn({ id, agent, state, createdAt, labels, error, waitingFor: waiting }) {
  const why = error?.code ?? (state === 'waiting' && waiting !== undefined ? waitingFor(waiting) : undefined)
  return element(
    'tr',
    {},
    element('td', { class: 'is-state' }, stateMark(state), why !== undefined && element('span', { class: 'why' }, why)),
    element('td', { class: 'is-agent' }, taskLink(id, agent)),
    element('td', { class: 'is-id' }, taskLink(id)),
    element('td', { class: 'is-age', title: createdAt }),
    element('td', { class: 'is-took' }),
    element('td', { class: 'is-labels' }, ...labelLinks(labels)),
  )
}

/** @param {URLSearchParams} query */
function nothing(query) {
  if (query.size > 0) {
    return element(
      'div',
      { class: 'empty' },
      element('p', {}, 'No task fits. '),
      element('a', { href: '#/tasks' }, 'Show all tasks'),
    )
  }
  return element(
    'div',
    { class: 'empty' },
    element('p', {}, 'No tasks yet. Give an agent its first one: '),
    element('p', {}, element('a', { href: '#/agents' }, 'choose an agent'), ', or from a shell:'),
    commandLine(
      `npx troupe submit document-analyzer '{"document": {"text": "Rent of € 950 is due on 1 May."}}' --follow`,
    ),
  )
}
