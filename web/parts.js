// @ts-check
// What several pages show.
import { address, Problem } from './api.js'
import { element, replace } from './dom.js'

/** A state by its word and its colour. @param {string} state */
export function stateMark(state) {
  return element('span', { class: `state ${state}` }, state)
}

/** @param {string} id @param {string} words */
export function taskLink(id, words = id) {
  return element('a', { href: `#/tasks/${encodeURIComponent(id)}`, class: words === id ? 'id' : undefined }, words)
}

/**
 * A table of these columns, without rows.
 * @param {string} name
 * @param {string[]} heads
 */
export function emptyTable(name, heads) {
  const cells = heads.map((words) => element('th', { scope: 'col' }, words))
  const body = element('tbody', {})
  const whole = element('table', { class: name }, element('thead', {}, element('tr', {}, ...cells)), body)
  return { whole, body }
}

/** A command to type elsewhere. @param {string} line */
export function commandLine(line) {
  return element(
    'div',
    { class: 'command' },
    element('code', {}, line),
    copyButton(() => line),
  )
}

/** @param {() => string} text @param {string} words */
export function copyButton(text, words = 'Copy') {
  const button = element('button', { type: 'button', class: 'quiet copy', onclick: copy }, words)
  async function copy() {
    try {
      await navigator.clipboard.writeText(text())
      button.textContent = 'Copied'
    } catch {
      // Over plain HTTP from another machine browsers allow it to nobody.
      button.textContent = 'Not allowed here'
    }
    setTimeout(() => {
      button.textContent = words
    }, 1_500)
  }
  return button
}

/** Links to labels: the tasks that have them. @param {Record<string, string> | undefined} labels */
export function labelLinks(labels) {
  return Object.entries(labels ?? {}).map(([name, value]) =>
    element(
      'a',
      { class: 'label', href: `#/tasks?label=${encodeURIComponent(`${name}:${value}`)}` },
      `${name}: ${value}`,
    ),
  )
}

/** Every refusal: its code, what is wrong, what to do. @param {unknown} error */
export function problemBox(error) {
  if (!(error instanceof Problem)) return element('div', { class: 'problem', role: 'alert' }, wordsOf(error))
  return codedBox(error.code, error.message, error.fix)
}

/**
 * @param {string} code
 * @param {string} message
 * @param {string | undefined} fix
 */
export function codedBox(code, message, fix) {
  return element(
    'div',
    { class: 'problem', role: 'alert' },
    element('a', { class: 'code', href: address(`/errors#${code}`) }, code),
    element('p', { class: 'message' }, message),
    fix === undefined || fix === '' ? undefined : element('p', { class: 'fix' }, fix),
  )
}

/** @param {unknown} error */
export function wordsOf(error) {
  if (error instanceof Problem) return `${error.message} ${error.fix}`
  return error instanceof SyntaxError ? `This is no JSON: ${error.message}` : 'The gateway does not answer.'
}

/**
 * A part of a page under a heading of its own.
 * @param {string} title
 * @param {...import('./dom.js').Child} children
 */
export function section(title, ...children) {
  return element('section', {}, element('h2', {}, title), ...children)
}

/**
 * Asks before an act that cannot be taken back. Resolves with the text that was given, or undefined.
 * @param {{ question: string, act: string, field?: string, signal: AbortSignal }} options
 * @returns {Promise<string | undefined>}
 */
export function confirmed({ question, act, field, signal }) {
  const text = element('input', { id: 'confirm-text', type: 'text', maxlength: 1_000 })
  const dialog = element('dialog', { 'aria-labelledby': 'confirm-question' })
  return new Promise((resolve) => {
    /** @param {string | undefined} answer */
    const end = (answer) => {
      dialog.remove()
      resolve(answer)
    }
    dialog.addEventListener('cancel', () => end(undefined))
    signal.addEventListener('abort', () => end(undefined))
    replace(
      dialog,
      element('p', { id: 'confirm-question' }, question),
      ...(field === undefined ? [] : [element('label', { for: 'confirm-text' }, field), text]),
      element(
        'div',
        { class: 'acts' },
        element('button', { type: 'button', class: 'danger', onclick: () => end(text.value) }, act),
        element('button', { type: 'button', onclick: () => end(undefined) }, 'Leave it'),
      ),
    )
    document.body.append(dialog)
    dialog.showModal()
  })
}
