// @ts-check
// One task: what it is, what came of it, what it does now. Its log is followed; the rest is read again when the log grew.
/** @import { TaskView } from './views.ts' */
/** @import { Visit } from './console.js' */
import { readTagged } from './api.js'
import { element, replace } from './dom.js'
import { followTask } from './follow.js'
import { everySecond, pause, tellConnection } from './fresh.js'
import { codedBox, copyButton, labelLinks, problemBox, section, stateMark, taskLink } from './parts.js'
import { taskActs } from './task-acts.js'
import { taskChildren } from './task-children.js'
import { createLog } from './task-log.js'
import { taskTrace } from './task-trace.js'
import { shownValue } from './value.js'
import { age, cost, count, duration, hasEnded, took, waitingFor } from './words.js'

/** Events before these are read when somebody asks for them. */
const LATEST = 200
/** Between the reads of a task whose log grows quickly. */
const AT_MOST_EVERY_MS = 500

/** @param {Visit} visit */
export async function taskPage({ place, path, signal }) {
  const id = /** @type {string} */ (path[1])
  const parts = {
    head: part(),
    error: part(),
    acts: part(),
    output: part(),
    children: part(),
    trace: part(),
    input: part(),
  }
  const log = createLog(id, signal)
  const acts = taskActs({ place: parts.acts, signal, onActed: () => void live().catch(tellConnection) })
  const readTrace = taskTrace(parts.trace, id, signal)
  let known = /** @type {TaskView | undefined} */ (undefined)
  let following = false

  async function refresh() {
    const answer = await readTagged(`/v1/tasks/${encodeURIComponent(id)}`, { signal })
    const task = /** @type {TaskView} */ (answer.known)
    const isOld = known !== undefined && task.lastEvent <= known.lastEvent && task.updatedAt <= known.updatedAt
    if (isOld) return task
    drawTask(task, known, parts)
    acts.show(task, answer.etag)
    if (known === undefined) replace(place, ...Object.values(parts), log.place)
    known = task
    await Promise.all([readTrace(), taskChildren(parts.children, task, signal)])
    return task
  }

  /** Follows the log until the task has ended; a retry begins it anew. */
  async function live() {
    const task = await refresh()
    if (following) return
    following = true
    const after = log.last() ?? Math.max(0, task.lastEvent - LATEST)
    log.begin(after)
    const growth = keepUp(refresh, signal)
    try {
      await followTask(id, {
        after,
        signal,
        onEvents(events) {
          log.add(events)
          growth.happened()
        },
        isOver: async () => hasEnded((await refresh()).state),
      })
    } finally {
      following = false
      growth.stop()
    }
  }

  replace(place, element('h1', {}, 'Task'), element('p', { class: 'note' }, 'Reading …'))
  everySecond(() => known && drawTimes(known, parts.head), signal)
  try {
    await live()
  } catch (error) {
    if (!signal.aborted)
      replace(place, element('h1', {}, 'Task'), problemBox(error), element('a', { href: '#/tasks' }, 'All tasks'))
  }
}

/**
 * Refreshes after something happened, with pauses: a long log takes long to be read, and its readers must not be what the
 * gateway is busy with.
 * @param {() => Promise<unknown>} refresh
 * @param {AbortSignal} signal
 */
function keepUp(refresh, signal) {
  let happened = Promise.withResolvers()
  let isOver = false

  async function run() {
    for (;;) {
      await happened.promise
      if (isOver || signal.aborted) return
      happened = Promise.withResolvers()
      const begun = performance.now()
      // Without an answer, the connection that follows the log says so.
      await refresh().catch(() => {})
      await pause(Math.max(AT_MOST_EVERY_MS, (performance.now() - begun) * 5), signal)
    }
  }

  void run()
  return {
    happened: () => happened.resolve(undefined),
    stop() {
      isOver = true
      happened.resolve(undefined)
    },
  }
}

function part() {
  return element('div', {})
}

/**
 * @param {TaskView} task
 * @param {TaskView | undefined} before what stands there: what somebody has unfolded stays unfolded
 * @param {Record<'head' | 'error' | 'output' | 'input', HTMLElement>} parts
 */
function drawTask(task, before, parts) {
  replace(parts.head, ...headOf(task))
  drawTimes(task, parts.head)
  const { error, output } = task
  replace(parts.error, error === undefined ? undefined : errorOf(error))
  if (before === undefined || JSON.stringify(output) !== JSON.stringify(before.output)) {
    replace(parts.output, output === undefined ? undefined : section('Output', shownValue(output)))
  }
  if (before === undefined) replace(parts.input, section('Input', shownValue(task.input)))
}

/** @param {TaskView} task */
function headOf(task) {
  const { id, agent, agentVersion, state, priority, parent, deadline, budget, usage, labels, metadata, callbacks } =
    task
  const waiting = task.waitingFor
  const links = labelLinks(labels)
  /** @type {[string, import('./dom.js').Child[]][]} */
  const facts = [
    ['Agent', [element('a', { href: `#/agents/${agent}` }, agent), ` ${agentVersion}`]],
    ['Accepted', [element('span', { class: 'age', title: task.createdAt })]],
    ['Took', [element('span', { class: 'took' })]],
  ]
  if (waiting !== undefined) facts.push(['Waits for', [waitingFor(waiting)]])
  if (parent !== undefined) facts.push(['Asked for by', [taskLink(parent.taskId)]])
  if (priority !== 'normal') facts.push(['Priority', [priority]])
  if (deadline !== undefined) facts.push(['Deadline', [deadline]])
  if (usage !== undefined) facts.push(['Tokens', [`${count(usage.inputTokens)} in, ${count(usage.outputTokens)} out`]])
  if (usage !== undefined) facts.push(['Cost', [cost(usage.costMicros)]])
  if (budget !== undefined) facts.push(['Budget', [budgetOf(budget)]])
  if (links.length > 0) facts.push(['Labels', links])
  for (const [name, value] of Object.entries(metadata ?? {})) facts.push([name, [value]])
  if (callbacks !== undefined) facts.push(['Tells', [callbacks.map(({ to }) => to).join(', ')]])
  return [
    element(
      'p',
      { class: 'path' },
      element('a', { href: '#/tasks' }, 'Tasks'),
      ' / ',
      element('span', { class: 'id' }, id),
      copyButton(() => id),
    ),
    element('h1', {}, agent, ' ', stateMark(state)),
    element(
      'dl',
      { class: 'facts' },
      ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, ...value))),
    ),
  ]
}

/** @param {TaskView} task @param {HTMLElement} head */
function drawTimes(task, head) {
  const now = Date.now()
  const { createdAt, startedAt } = task
  const [accepted, taken] = [head.querySelector('.age'), head.querySelector('.took')]
  if (accepted !== null) accepted.textContent = age(createdAt, now)
  const waited = startedAt === undefined ? 0 : Date.parse(startedAt) - Date.parse(createdAt)
  const after = waited < 1_000 ? '' : `, after ${duration(waited)} in the queue`
  if (taken !== null) taken.textContent = `${took(task, now)}${hasEnded(task.state) ? '' : ' so far'}${after}`
}

/** @param {import('./views.ts').TaskError} error */
function errorOf({ code, message, fix, detail, cause }) {
  const box = codedBox(code, message, fix)
  if (detail !== undefined || cause !== undefined) {
    box.append(shownValue({ ...(detail === undefined ? {} : { detail }), ...(cause === undefined ? {} : { cause }) }))
  }
  return box
}

/** @param {NonNullable<TaskView['budget']>} budget */
function budgetOf({ tokens, costMicros }) {
  const parts = [
    tokens === undefined ? undefined : `${count(tokens)} tokens`,
    costMicros === undefined ? undefined : `cost ${cost(costMicros)}`,
  ]
  return parts.filter((one) => one !== undefined).join(', ')
}
