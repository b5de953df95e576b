// @ts-check
// Which form a JSON Schema makes: only an object of plain values makes one. Anything else is written as JSON.
/** @import { JsonSchema } from './views.ts' */

/** @typedef {'text' | 'number' | 'whole' | 'yes or no' | 'choice'} FieldKind */
/**
 * @typedef {{ name: string, kind: FieldKind, required: boolean, words?: string, choices?: string[], least?: number, most?: number, preset?: unknown }} Field
 */

/** @param {JsonSchema | undefined} schema @returns {Field[] | undefined} */
export function fieldsOf(schema) {
  if (schema?.type !== 'object' || typeof schema.properties !== 'object' || schema.properties === null) return undefined
  const required = Array.isArray(schema.required) ? schema.required : []
  const fields = Object.entries(schema.properties).map(([name, property]) =>
    fieldOf(name, property, required.includes(name)),
  )
  return fields.every((field) => field !== undefined) ? fields : undefined
}

/**
 * @param {string} name
 * @param {JsonSchema} property
 * @param {boolean} required
 * @returns {Field | undefined}
 */
function fieldOf(name, property, required) {
  const kind = kindOf(property)
  if (kind === undefined) return undefined
  /** @type {Field} */
  const field = { name, kind, required }
  if (typeof property.description === 'string') field.words = property.description
  if (kind === 'choice') field.choices = /** @type {string[]} */ (property.enum)
  if (typeof property.minimum === 'number') field.least = property.minimum
  if (typeof property.maximum === 'number' && property.maximum < Number.MAX_SAFE_INTEGER) field.most = property.maximum
  if (property.default !== undefined) field.preset = property.default
  return field
}

/** @param {JsonSchema} property @returns {FieldKind | undefined} */
function kindOf(property) {
  if (Array.isArray(property.enum) && property.enum.every((one) => typeof one === 'string')) return 'choice'
  const kinds = { string: 'text', number: 'number', integer: 'whole', boolean: 'yes or no' }
  return /** @type {Record<string, FieldKind>} */ (kinds)[String(property.type)]
}

/**
 * What was put into the fields, as JSON. An empty one that nobody demands is left out.
 * @param {Field[]} fields
 * @param {(name: string) => string} given
 */
export function jsonOf(fields, given) {
  /** @type {[string, unknown][]} */
  const entries = []
  for (const { name, kind, required } of fields) {
    const text = given(name)
    if (text === '' && !(required && kind === 'text')) continue
    if (kind === 'number' || kind === 'whole') entries.push([name, Number(text)])
    else entries.push([name, kind === 'yes or no' ? text === 'yes' : text])
  }
  return Object.fromEntries(entries)
}

/**
 * A value to begin with: what the schema demands, or its first property.
 * @param {unknown} schema
 * @param {number} depth
 * @returns {unknown}
 */
export function exampleOf(schema, depth = 0) {
  const {
    type,
    properties,
    required,
    items,
    enum: choices,
    anyOf,
    default: preset,
    const: fixed,
  } = /** @type {any} */ (schema ?? {})
  if (preset !== undefined) return preset
  if (fixed !== undefined) return fixed
  if (Array.isArray(choices)) return choices[0]
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0], depth)
  if (type === 'array') return depth > 3 ? [] : [exampleOf(items, depth + 1)]
  if (type === 'object') {
    const demanded = Array.isArray(required) ? required : []
    // An empty object says nothing about what may stand in it.
    const names =
      depth > 3 ? [] : demanded.length > 0 ? demanded : Object.keys(properties ?? {}).slice(0, depth === 0 ? 1 : 0)
    return Object.fromEntries(names.map((name) => [name, exampleOf(properties?.[name], depth + 1)]))
  }
  if (type === 'number' || type === 'integer') return 0
  return type === 'boolean' ? false : type === 'string' ? '' : type === 'null' ? null : {}
}
