// What a form says line by line: "Total due: €2,952.60". Invoices, orders and letterheads have their facts there, where
// no sentence and so no summary finds them.
export interface Field {
  label: string
  value: string
  /** Where the value stands. */
  start: number
  end: number
}

/** Forms state their facts on the first pages. */
const READ = 40_000
const LINE = /^[ \t•*–-]{0,6}(?<label>\p{L}[\p{L}\d .'’/&()%-]{1,40}?)[ \t]?:[ \t]+(?<value>\S[^\n]{0,119}?)[ \t]*$/gmu
const LONGEST_LABEL = 5

export function findFields(text: string, most: number): Field[] {
  const fields: Field[] = []
  const read = text.slice(0, READ)
  for (const match of read.matchAll(LINE)) {
    const { label = '', value = '' } = match.groups ?? {}
    // A sentence with a colon in it is no field; neither is what has cells beside it.
    if (label.split(/\s+/).length > LONGEST_LABEL || /[.!?]\s\p{Lu}/u.test(value) || value.includes('\t')) continue
    const start = match.index + match[0].lastIndexOf(value)
    fields.push({ label: label.trim(), value, start, end: start + value.length })
    if (fields.length >= most) break
  }
  return fields
}
