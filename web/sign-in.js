// @ts-check
// The page that asks for a key.
/** @import { Visit } from './console.js' */
import { Problem, read } from './api.js'
import { element, replace } from './dom.js'
import { commandLine } from './parts.js'
import { endedBecause, signIn } from './session.js'

/**
 * @param {Visit} visit
 * @param {() => void} entered
 */
export function signInPage({ place, signal }, entered) {
  const field = element('input', {
    id: 'key',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
    placeholder: 'trp_…',
    'aria-describedby': 'refusal',
  })
  const refusal = element('p', { id: 'refusal', class: 'refusal', role: 'alert' }, endedBecause())
  const button = element('button', { class: 'main', type: 'submit' }, 'Sign in')

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault()
    const secret = field.value.trim()
    button.disabled = true
    try {
      signIn(secret, await read('/v1/self', { key: secret, signal }))
      entered()
    } catch (error) {
      if (signal.aborted) return
      replace(refusal, wordsFor(error))
      field.select()
    } finally {
      button.disabled = false
    }
  }

  replace(
    place,
    element(
      'form',
      { class: 'sign-in', onsubmit: submit },
      element('h1', {}, 'Sign in'),
      element('label', { for: 'key' }, 'API key or token'),
      element('div', { class: 'line' }, field, button),
      refusal,
      element(
        'div',
        { class: 'note' },
        element(
          'p',
          {},
          'On the machine where Troupe runs, the first start made an admin key that only its owner can read:',
        ),
        commandLine('cat .troupe/admin.key'),
        element('p', {}, 'Whoever has that key makes others, for example one that can only look:'),
        commandLine('npx troupe keys create me --role viewer'),
        element('p', {}, 'The key stays in this tab and is forgotten when the tab is closed or you sign out.'),
      ),
    ),
  )
  field.focus()
}

/** @param {unknown} error */
function wordsFor(error) {
  if (!(error instanceof Problem)) return 'The gateway does not answer. Is it running?'
  if (error.code === 'unauthenticated') return `This key is refused: ${error.message}`
  return `${error.message} ${error.fix}`
}
