// @ts-check
// What may be done with a task: cancel it, run it again, answer it. Who may not is not offered it.
/** @import { AgentView, TaskView } from './views.ts' */
import { call, read } from './api.js'
import { element, replace } from './dom.js'
import { confirmed, problemBox, section } from './parts.js'
import { schemaForm } from './schema-form.js'
import { mayActAs } from './session.js'
import { hasEnded } from './words.js'

/**
 * @param {{ place: HTMLElement, signal: AbortSignal, onActed: () => void }} options
 */
export function taskActs({ place, signal, onActed }) {
  const buttons = element('div', { class: 'acts' })
  const trouble = element('div', {})
  const answer = element('div', {})
  /** What it was drawn for: a form must stay while somebody fills it in, and go with its question. @type {string | undefined} */
  let shown
  /** Of the task as the page shows it: of two people who answer one question the second is told. */
  let etag = '*'
  replace(place, buttons, trouble, answer)

  /** @param {() => Promise<unknown>} act */
  async function perform(act) {
    replace(trouble)
    try {
      await act()
      onActed()
    } catch (error) {
      if (!signal.aborted) replace(trouble, problemBox(error))
    }
  }

  /** @param {string} path */
  async function cancel(path) {
    const question = 'Cancel this task and all that it asked for?'
    const reason = await confirmed({ question, act: 'Cancel the task', field: 'Reason, if you like', signal })
    if (reason !== undefined)
      await perform(() => call('POST', `${path}/cancel`, { body: reason === '' ? {} : { reason }, signal }))
  }

  /** @param {TaskView} task */
  async function ask(task) {
    const question = shown
    const form = await answerForm(task, signal, async (body) => {
      await call('POST', `/v1/tasks/${task.id}/messages`, { body, headers: { 'if-match': etag }, signal })
      // The next question, of the same state, has a form of its own.
      shown = undefined
      replace(answer, element('p', { class: 'note' }, 'Sent.'))
      onActed()
    })
    if (shown === question) replace(answer, form)
  }

  return {
    /** @param {TaskView} task @param {string} tag */
    show(task, tag) {
      etag = tag
      const question = `${task.state} ${task.waitingFor?.detail}`
      if (question === shown) return
      shown = question
      const path = `/v1/tasks/${encodeURIComponent(task.id)}`
      const may = mayActAs('submitter')
      const canRetry = task.state === 'failed' || task.state === 'cancelled'
      replace(
        buttons,
        may && !hasEnded(task.state) && element('button', { class: 'danger', onclick: () => cancel(path) }, 'Cancel'),
        may &&
          canRetry &&
          element(
            'button',
            { class: 'main', onclick: () => perform(() => call('POST', `${path}/retry`, { signal })) },
            'Retry',
          ),
        may && canRetry && element('span', { class: 'note' }, 'from its last good state'),
      )
      replace(answer)
      if (task.state !== 'input-required') return
      if (may) void ask(task)
      else replace(answer, element('p', { class: 'note' }, 'It waits for an answer. Your role may not give one.'))
    },
  }
}

/**
 * @param {TaskView} task
 * @param {AbortSignal} signal
 * @param {(message: Record<string, unknown>) => Promise<void>} send
 */
async function answerForm({ agent, agentVersion }, signal, send) {
  const version = encodeURIComponent(agentVersion)
  /** An agent that is gone, or that does not say what it takes, may still be answered. @type {Partial<AgentView>} */
  const { messages } = await read(`/v1/agents/${agent}?version=${version}`, { signal }).catch(() => ({}))
  const types = Object.keys(messages ?? {})
  const type =
    messages === undefined
      ? element('input', { id: 'message-type', type: 'text', required: true, maxlength: 200 })
      : element(
          'select',
          { id: 'message-type', onchange: drawForm },
          ...types.map((name) => element('option', { value: name }, name)),
        )
  const form = element('div', {})

  function drawForm() {
    const schema = messages?.[type.value]
    const made = schemaForm({
      schema,
      submit: 'Send',
      signal,
      onSubmit: (content) => send({ ...(isObject(content) ? content : {}), type: type.value }),
    })
    replace(form, made)
  }
  drawForm()
  return section(
    'It waits for an answer',
    element('div', { class: 'field' }, element('label', { for: 'message-type' }, 'Message'), type),
    form,
  )
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
