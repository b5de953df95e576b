// What a document may carry besides its text, and the conditions by which a search narrows it. Each store turns
// conditions into its own SQL; the contract suite holds both to one meaning.
import { TroupeError } from '../../contract/errors.ts'

export type Scalar = string | number | boolean
export type MetadataValue = Scalar | string[]
export type Metadata = Record<string, MetadataValue>

export type Comparison = 'ANY_OF' | 'NONE_OF' | 'LESS' | 'AT_MOST' | 'GREATER' | 'AT_LEAST' | 'PRESENT'

export interface Condition {
  field: string
  comparison: Comparison
  values: Scalar[]
}

/** How callers write conditions: a value, a list of which one must match, or bounds. All fields must hold. */
export type Filter = Record<string, Scalar | Scalar[] | Bounds>
export interface Bounds {
  not?: Scalar | Scalar[]
  lt?: number | string
  lte?: number | string
  gt?: number | string
  gte?: number | string
  present?: true
}

const MAX_FIELDS = 64
const MAX_VALUE_LENGTH = 1_024
const MAX_LIST = 256
const MAX_CONDITIONS = 32
// Field names become JSON paths: nothing that quotes or escapes may pass.
const FIELD = /^[\p{L}\p{N}_.:-]{1,64}$/u

export function checkMetadata(metadata: Metadata): void {
  const fields = Object.entries(metadata)
  if (fields.length > MAX_FIELDS) refuse(`metadata has ${fields.length} fields; the limit is ${MAX_FIELDS}`)
  for (const [field, value] of fields) {
    checkField(field)
    if (Array.isArray(value) && value.length > MAX_LIST) refuse(`metadata ${field} lists more than ${MAX_LIST} texts`)
    for (const scalar of Array.isArray(value) ? value : [value]) checkScalar(field, scalar)
  }
}

export function checkConditions(conditions: readonly Condition[]): void {
  if (conditions.length > MAX_CONDITIONS) {
    refuse(`the filter has ${conditions.length} conditions; the limit is ${MAX_CONDITIONS}`)
  }
  for (const { field, comparison, values } of conditions) {
    checkField(field)
    for (const value of values) checkScalar(field, value)
    if (values.length > MAX_LIST) refuse(`the condition on ${field} has more than ${MAX_LIST} values`)
    const [least, most] = VALUES_OF[comparison]
    if (values.length < least || values.length > most) {
      refuse(`${comparison} on ${field} takes ${least === most ? least : 'at least 1'} value(s), not ${values.length}`)
    }
    if (IS_ORDERED[comparison] && typeof values[0] === 'boolean')
      refuse(`${comparison} on ${field}: truth has no order`)
  }
}

const VALUES_OF: Record<Comparison, [number, number]> = {
  ANY_OF: [1, MAX_LIST],
  NONE_OF: [1, MAX_LIST],
  LESS: [1, 1],
  AT_MOST: [1, 1],
  GREATER: [1, 1],
  AT_LEAST: [1, 1],
  PRESENT: [0, 0],
}
const IS_ORDERED: Partial<Record<Comparison, true>> = { LESS: true, AT_MOST: true, GREATER: true, AT_LEAST: true }

export function conditionsOf(filter: Filter): Condition[] {
  const conditions: Condition[] = []
  for (const [field, wanted] of Object.entries(filter)) {
    if (typeof wanted !== 'object') conditions.push({ field, comparison: 'ANY_OF', values: [wanted] })
    else if (Array.isArray(wanted)) conditions.push({ field, comparison: 'ANY_OF', values: wanted })
    else conditions.push(...boundsOf(field, wanted))
  }
  return conditions
}

function boundsOf(field: string, bounds: Bounds): Condition[] {
  const conditions: Condition[] = []
  if (bounds.not !== undefined) conditions.push({ field, comparison: 'NONE_OF', values: [bounds.not].flat() })
  if (bounds.lt !== undefined) conditions.push({ field, comparison: 'LESS', values: [bounds.lt] })
  if (bounds.lte !== undefined) conditions.push({ field, comparison: 'AT_MOST', values: [bounds.lte] })
  if (bounds.gt !== undefined) conditions.push({ field, comparison: 'GREATER', values: [bounds.gt] })
  if (bounds.gte !== undefined) conditions.push({ field, comparison: 'AT_LEAST', values: [bounds.gte] })
  if (bounds.present === true) conditions.push({ field, comparison: 'PRESENT', values: [] })
  if (conditions.length === 0) refuse(`the filter on ${field} says nothing: use not, lt, lte, gt, gte or present`)
  return conditions
}

function checkField(field: string): void {
  if (!FIELD.test(field)) {
    refuse(`metadata field ${JSON.stringify(field.slice(0, 80))}: 1 to 64 letters, digits, _ . : - are allowed`)
  }
}

function checkScalar(field: string, value: Scalar): void {
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(`metadata ${field} is not a finite number`)
  if (typeof value !== 'string') return
  if (value.length > MAX_VALUE_LENGTH) refuse(`metadata ${field} is longer than ${MAX_VALUE_LENGTH} characters`)
  if (value.includes('\0')) refuse(`metadata ${field} contains a NUL character`)
}

function refuse(message: string): never {
  throw new TroupeError('invalid_request', message)
}
