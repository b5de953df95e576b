// The texts that the shipped models learn from, all made by this folder from a seed:
//   kinds.ts    what a kind of document is
//   trade.ts    people.ts    rules.ts    writing.ts    the known kinds, as templates in three languages
//   foreign.ts  what is none of them
//   grammar.ts  templates into texts      words.ts    what fills their open places
//   cues.ts     turns of phrase that give a kind away, in three languages
//   noise.ts    what scanners and senders do to documents
//   concepts.ts which words mean the same, for the embedder
import { type Random, seededRandom } from '../random.ts'
import type { Example } from '../split.ts'
import { CUES } from './cues.ts'
import { FOREIGN } from './foreign.ts'
import { expand } from './grammar.ts'
import type { DocumentKind } from './kinds.ts'
import { addNoise, misread } from './noise.ts'
import { EMAIL, LETTER, MINUTES, RESUME } from './people.ts'
import { CONTRACT, POLICY, SPECIFICATION } from './rules.ts'
import { BANK_STATEMENT, INVOICE, PURCHASE_ORDER, RECEIPT } from './trade.ts'
import type { Language } from './words.ts'
import { ACADEMIC_PAPER, PRESS_RELEASE, REPORT } from './writing.ts'

export { COMMON_WORDS, CONCEPTS } from './concepts.ts'
export { UNKNOWN } from './foreign.ts'

const KNOWN: DocumentKind[] = [
  ACADEMIC_PAPER,
  BANK_STATEMENT,
  CONTRACT,
  EMAIL,
  INVOICE,
  LETTER,
  MINUTES,
  POLICY,
  PRESS_RELEASE,
  PURCHASE_ORDER,
  RECEIPT,
  REPORT,
  RESUME,
  SPECIFICATION,
]

export interface CorpusOptions {
  seed: number
  /** `test` uses templates that `train` has never used. */
  split: 'train' | 'test'
  perKind: number
  /** How many foreign texts to each document of a known kind. */
  foreign: number
  noise?: boolean
  /** Only one to three badly read lines of each: texts of which nobody can be sure. */
  fragments?: boolean
}

export function generateDocuments(options: CorpusOptions): Example[] {
  const random = seededRandom(options.seed).fork(options.fragments === true ? 'fragments' : options.split)
  const documents: Example[] = []
  for (const kind of [...KNOWN, FOREIGN]) {
    const count = kind === FOREIGN ? Math.round(options.perKind * options.foreign) : options.perKind
    const own = random.fork(kind.label)
    for (let made = 0; made < count; made++) documents.push(generate(kind, options, own))
  }
  return random.shuffle(documents)
}

function generate(kind: DocumentKind, options: CorpusOptions, random: Random): Example {
  const drawn = random.next()
  const language: Language = drawn < 0.6 ? 'en' : drawn < 0.8 ? 'de' : 'es'
  const templates = kind[options.split][language]
  const layout = options.split === 'test' ? 0 : random.next()
  const template =
    layout < 0.35
      ? random.pick(templates)
      : layout < 0.6
        ? mingle(random.pick(templates), random.pick(templates), random)
        : assemble(kind.label, language, layout < 0.8 ? random.pick(templates) : '', random)
  const text = expand(template, language, random)
  if (options.fragments === true) return { label: kind.label, text: misread(fragment(text, random), 0.08, random) }
  return { label: kind.label, text: options.noise === false ? text : addNoise(text, random) }
}

/** Lines of two templates, some lost: what makes an invoice must not hang on what stands above it. */
function mingle(one: string, other: string, random: Random): string {
  const lines = [...one.trim().split('\n'), ...other.trim().split('\n')].filter(() => random.chance(0.45))
  return lines.length < 2 ? one : lines.join('\n')
}

/** Turns of phrase of the kind in any order, among some lines of a template. */
function assemble(label: string, language: Language, template: string, random: Random): string {
  const cues = CUES[label]![language].split('|')
  const lines = template
    .trim()
    .split('\n')
    .filter((line) => line !== '' && random.chance(0.3))
  const wanted = 3 + random.below(10)
  for (let cue = 0; cue < wanted; cue++) lines.push(random.pick(cues))
  return random.shuffle(lines).join('\n')
}

function fragment(text: string, random: Random): string {
  const lines = text.split('\n')
  const start = random.below(lines.length)
  return lines.slice(start, start + 1 + random.below(3)).join('\n')
}
