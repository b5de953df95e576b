// @ts-check
// A form for a JSON Schema: fields where it is an object of plain values, a text of JSON where it is more.
/** @import { JsonSchema } from './views.ts' */
/** @import { Field } from './fields.js' */
import { element, replace } from './dom.js'
import { exampleOf, fieldsOf, jsonOf } from './fields.js'
import { problemBox } from './parts.js'

let made = 0

/**
 * @param {{ schema: JsonSchema | undefined, submit: string, signal: AbortSignal, onSubmit: (value: unknown) => Promise<void>, asJson?: boolean }} options
 */
export function schemaForm({ schema, submit, signal, onSubmit, asJson = false }) {
  const fields = asJson ? undefined : fieldsOf(schema)
  const group = `form-${++made}`
  const body = fields === undefined ? jsonBody(schema, group) : fieldsBody(fields, group)
  const trouble = element('div', {})
  const button = element('button', { class: 'main', type: 'submit' }, submit)

  /** @param {Event} event */
  async function onsubmit(event) {
    event.preventDefault()
    replace(trouble)
    button.disabled = true
    try {
      await onSubmit(body.value())
    } catch (error) {
      if (!signal.aborted) replace(trouble, problemBox(error))
    } finally {
      button.disabled = false
    }
  }
  return element('form', { onsubmit }, ...body.parts, trouble, element('div', { class: 'acts' }, button))
}

/** @param {JsonSchema | undefined} schema @param {string} group */
function jsonBody(schema, group) {
  const text = element('textarea', { id: `${group}-json`, rows: 10, spellcheck: 'false', class: 'json' })
  text.value = JSON.stringify(exampleOf(schema), null, 2)
  const label = element('label', { for: `${group}-json` }, 'JSON')
  return { parts: [element('div', { class: 'field' }, label, text)], value: () => JSON.parse(text.value) }
}

/** @param {Field[]} fields @param {string} group */
function fieldsBody(fields, group) {
  /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
  const inputs = new Map(fields.map((field) => [field.name, inputOf(field, `${group}-${field.name}`)]))
  const parts = fields.map(({ name, words }) =>
    element(
      'div',
      { class: 'field' },
      element('label', { for: `${group}-${name}` }, name),
      inputs.get(name),
      words === undefined ? undefined : element('span', { class: 'note' }, words),
    ),
  )
  return { parts, value: () => jsonOf(fields, (name) => inputs.get(name)?.value ?? '') }
}

/** @param {Field} field @param {string} id */
function inputOf({ kind, required, choices, least, most, preset }, id) {
  const words = kind === 'yes or no' ? ['yes', 'no'] : choices
  if (words !== undefined) {
    const chosen = preset === true ? 'yes' : preset === false ? 'no' : preset
    const open = chosen === undefined ? [element('option', { value: '' }, required ? 'choose' : 'leave it open')] : []
    const options = words.map((word) => element('option', { value: word, selected: word === chosen }, word))
    return element('select', { id, required }, ...open, ...options)
  }
  if (kind === 'text') return element('input', { id, type: 'text', value: preset === undefined ? '' : String(preset) })
  const step = kind === 'whole' ? 1 : 'any'
  return element('input', {
    id,
    type: 'number',
    required,
    step,
    min: least,
    max: most,
    value: preset === undefined ? undefined : String(preset),
  })
}
