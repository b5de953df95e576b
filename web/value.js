// @ts-check
// A JSON value, folded: what is inside is drawn when somebody opens it, so that a large value costs what is looked at.
import { element } from './dom.js'
import { copyButton } from './parts.js'
import { count } from './words.js'

/** Characters of a text, entries of a list that are shown at first. */
const TEXT = 400
const ENTRIES = 50
const GLIMPSE = 110
/** A value of fewer entries stands open. */
const OPEN = 12

/**
 * The value, and a button to copy all of it.
 * @param {unknown} value
 */
export function shownValue(value) {
  const isLarge = typeof value === 'object' && value !== null
  return element(
    'div',
    { class: 'value' },
    isLarge ? copyButton(() => JSON.stringify(value, null, 2), 'Copy JSON') : undefined,
    branch(value, 0),
  )
}

/** @param {unknown} value @param {number} depth @returns {HTMLElement} */
function branch(value, depth) {
  if (typeof value === 'string') return textOf(value)
  if (typeof value !== 'object' || value === null) return element('span', { class: 'scalar' }, String(value))
  const entries = Object.entries(value)
  if (entries.length === 0) return element('span', { class: 'scalar' }, Array.isArray(value) ? '[ ]' : '{ }')
  return entriesOf(entries, depth)
}

/** @param {[string, unknown][]} entries @param {number} depth */
function entriesOf(entries, depth) {
  const list = element('dl', {})
  let shown = 0
  function more() {
    const next = entries.slice(shown, shown + ENTRIES)
    shown += next.length
    list.append(...next.map(([name, value]) => entry(name, value, depth)))
    if (shown === entries.length) return
    const button = element('button', { class: 'quiet' }, `${count(entries.length - shown)} more`)
    button.addEventListener('click', () => {
      button.remove()
      more()
    })
    list.append(button)
  }
  more()
  return list
}

/** @param {string} name @param {unknown} value @param {number} depth */
function entry(name, value, depth) {
  const isBranch = typeof value === 'object' && value !== null && Object.keys(value).length > 0
  if (!isBranch) return element('div', {}, element('dt', {}, name), element('dd', {}, branch(value, depth)))
  const size = Object.keys(value).length
  const summary = element(
    'summary',
    {},
    element('span', { class: 'name' }, name),
    element('span', { class: 'size' }, glimpse(value, /^\d+$/.test(name))),
  )
  const details = element('details', {}, summary)
  const open = () => {
    if (details.open && details.childElementCount === 1) details.append(branch(value, depth + 1))
  }
  details.addEventListener('toggle', open)
  if (depth < 1 && size <= OPEN) {
    details.open = true
    open()
  }
  return details
}

/** @param {string} text */
function textOf(text) {
  if (text.length <= TEXT) return element('span', { class: 'text' }, text)
  const shown = element('span', { class: 'text' }, `${text.slice(0, TEXT)}…`)
  const button = element('button', { class: 'quiet' }, `all ${count(text.length)} characters`)
  button.addEventListener('click', () => {
    shown.textContent = text
    button.remove()
  })
  return element('span', {}, shown, ' ', button)
}

/**
 * What a folded one holds: of an entry of a list what it says, of a named object which names.
 * @param {object} value
 * @param {boolean} isEntry
 */
function glimpse(value, isEntry) {
  const entries = Object.entries(value)
  if (Array.isArray(value)) return entries.length === 1 ? '1 entry' : `${count(entries.length)} entries`
  const plain = entries.filter(([, one]) => typeof one !== 'object').map(([, one]) => String(one))
  const words = isEntry && plain.length > 0 ? plain.join(' · ') : entries.map(([name]) => name).join(', ')
  return words.length > GLIMPSE ? `${words.slice(0, GLIMPSE)}…` : words
}
