// The pipeline: everything finds what it can, then overlaps are settled: the surer one stays, of equals the longer.
import { findDates } from './dates.ts'
import type { Entity, EntityKind } from './entity.ts'
import { findNames } from './names.ts'
import { findPhones } from './phones.ts'
import { it, RULES, type Rule } from './rules.ts'

export interface RecogniseOptions {
  kinds?: readonly EntityKind[] | undefined
  dayFirst?: boolean | undefined
  reference?: Date | undefined
  /** Where pages begin, ascending; entities then say their page. */
  pageStarts?: readonly number[] | undefined
}

/** Long texts are read in pieces that end at a line or a space, so that no pattern sees megabytes at once. */
const PIECE = 64 * 1024
const MOST = 50_000

export function recognise(text: string, options: RecogniseOptions = {}): Entity[] {
  const entities: Entity[] = []
  for (let start = 0; start < text.length && entities.length < MOST; ) {
    const end = pieceEnd(text, start)
    for (const found of recognisePiece(text.slice(start, end), options)) {
      entities.push({ ...found, start: found.start + start, end: found.end + start })
    }
    start = end
  }
  addPages(entities, options.pageStarts ?? [])
  return entities.slice(0, MOST)
}

function pieceEnd(text: string, start: number): number {
  if (text.length - start <= PIECE) return text.length
  const limit = start + PIECE
  const line = text.lastIndexOf('\n', limit)
  if (line > start + PIECE / 2) return line + 1
  const space = text.lastIndexOf(' ', limit)
  return space > start + PIECE / 2 ? space + 1 : limit
}

function recognisePiece(text: string, options: RecogniseOptions): Entity[] {
  const wanted = (kind: EntityKind) => options.kinds === undefined || options.kinds.includes(kind)
  // Everything is looked for whatever is wanted: a card number is only told from a phone number by knowing both.
  const found = [...findByRules(text), ...findDates(text, options), ...findPhones(text), ...findNames(text)]
  return settle(found).filter((one) => wanted(one.kind))
}

function findByRules(text: string): Entity[] {
  const found: Entity[] = []
  for (const rule of RULES) {
    if (rule.hint !== undefined && !text.includes(rule.hint)) continue
    for (const match of text.matchAll(rule.pattern)) {
      const shown = holding(rule, it(match))
      if (shown === undefined) continue
      if (rule.near !== undefined && !rule.near.test(text.slice(Math.max(0, match.index - 60), match.index))) continue
      const start = match.index + Math.max(0, match[0].lastIndexOf(it(match)))
      const entity: Entity = {
        kind: rule.kind,
        text: shown,
        start,
        end: start + shown.length,
        confidence: rule.confidence,
      }
      const value = rule.value?.(match, shown)
      if (value !== undefined) entity.value = value
      if (rule.scheme !== undefined) entity.scheme = rule.scheme
      found.push(entity)
    }
  }
  return found
}

/** As much of what was found as passes the rule's check. */
function holding(rule: Rule, found: string): string | undefined {
  if (rule.check === undefined || rule.check(found)) return found
  if (rule.grouped === undefined) return undefined
  for (let cut = found.search(/[ -][^ -]*$/); cut > 0; ) {
    const shorter = found.slice(0, cut)
    if (rule.check(shorter)) return shorter
    cut = shorter.search(/[ -][^ -]*$/)
  }
  return undefined
}

function settle(found: Entity[]): Entity[] {
  const best = found.sort(
    (a, b) => b.confidence - a.confidence || b.end - b.start - (a.end - a.start) || a.start - b.start,
  )
  const kept: Entity[] = []
  const taken = new Uint8Array(found.reduce((last, one) => Math.max(last, one.end), 0))
  for (const one of best) {
    if (taken.subarray(one.start, one.end).includes(1)) continue
    taken.fill(1, one.start, one.end)
    kept.push(one)
  }
  return kept.sort((a, b) => a.start - b.start)
}

function addPages(entities: Entity[], starts: readonly number[]): void {
  let page = 0
  for (const one of entities) {
    while (page < starts.length && starts[page]! <= one.start) page += 1
    if (page > 0) one.page = page
  }
}
