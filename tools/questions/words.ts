// The question as words, and the names of columns and values found in it. What has been understood is taken out, so
// that what is left at the end is what was not understood.
import type { TableProfile } from '../profile-table.ts'

export class Words {
  #rest: string

  constructor(question: string) {
    // A dot or a hyphen inside a word or number belongs to it: 1.5, 2024-03.
    const words = question
      .toLowerCase()
      .replaceAll(/[?!,;:"“”()]/g, ' ')
      .replaceAll(/\.(?=\s|$)/g, ' ')
      .replaceAll(/'s\b/g, '')
    this.#rest = ` ${words.replaceAll(/\s+/g, ' ').trim()} `
  }

  /** Takes the first match out. The pattern sees whole words: it is wrapped in spaces. */
  take(pattern: string): RegExpExecArray | undefined {
    const match = new RegExp(` (?:${pattern})(?= )`).exec(this.#rest)
    if (match === null) return undefined
    this.#rest = `${this.#rest.slice(0, match.index)} ¦${this.#rest.slice(match.index + match[0].length)}`
    return match
  }

  /** What is left, without filler words. */
  left(): string[] {
    return this.#rest.split(/[ ¦]+/).filter((word) => word !== '' && !FILLER.has(word))
  }
}

const FILLER = new Set(
  'what which is are was were the a an of all show me give tell please list find get do does did we have has had our us i how much many in on for at to with and by per each where there it its value values row rows record records number that'.split(
    ' ',
  ),
)

/** Names longest first, so that "net revenue" is not read as "revenue". */
export function columnPattern(
  profile: TableProfile,
  role: (column: TableProfile['columns'][number]) => boolean,
): { pattern: string; nameOf: (match: string) => string } | undefined {
  const spellings = new Map<string, string>()
  for (const column of profile.columns.filter(role)) {
    for (const spelling of spellingsOf(column.name)) if (!spellings.has(spelling)) spellings.set(spelling, column.name)
  }
  if (spellings.size === 0) return undefined
  const ordered = [...spellings.keys()].sort((a, b) => b.length - a.length)
  return { pattern: ordered.map(escapePattern).join('|'), nameOf: (match) => spellings.get(match)! }
}

/** order_date, "order date", orderDate; singular and plural. */
function spellingsOf(name: string): string[] {
  const apart = name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  const spaced = apart.replaceAll(/[_\s-]+/g, ' ').trim()
  const forms = [name.toLowerCase(), spaced]
  return [
    ...new Set(
      forms.flatMap((form) => [
        form,
        `${form}s`,
        `${form}es`,
        form.replace(/y$/, 'ies'),
        form.replace(/ies$/, 'y'),
        form.replace(/s$/, ''),
      ]),
    ),
  ].filter((form) => form.length > 1)
}

export function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
