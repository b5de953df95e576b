// People, organisations and places. A run of capitalised words is a candidate; what it is follows from the words
// inside it (a known first name, "GmbH"), from the words around it ("directed by", "moved to"), and from what the
// same name turned out to be elsewhere in the document. Each is worth points; the most points win.
import type { Entity } from './entity.ts'
import { type Candidate, findCandidates } from './name-candidates.ts'
import {
  type Lexicon,
  type NameKind,
  nameLexicon,
  ORGANISATION_END,
  ORGANISATION_START,
  PLACE_END,
  STREET,
} from './name-words.ts'

const CUES: { kind: NameKind; points: number; before?: RegExp; after?: RegExp }[] = [
  {
    kind: 'person',
    points: 4,
    before:
      /\b(my name is|i am|i['’]m|this is|known as|called|named|calls? (?:me|him|her)|name:|signed:?|signature:?|attn\.?:?|dear|hi|hello|thanks,|regards,|sincerely,)\s*$/i,
  },
  {
    kind: 'person',
    points: 3,
    before:
      /\b(by|starring|featuring|features|feat\.|with|author:?|contact:?|cc:?|from:|to:|between|married|met|son of|daughter of|under|my (?:kid|child|son|daughter|wife|husband|friend|colleague|boss)|player|actor|actress|singer|minister|director|manager|ceo|founders?:)\s+$/i,
  },
  {
    kind: 'person',
    points: 3,
    after:
      /^\s*(said|says|wrote|writes|told|asked|added|explained|replied|shouted|was born|is (?:a |the |very )?\w+ (?:person|man|woman|who)|lives|lived|listed|joined us|who)\b/i,
  },
  {
    kind: 'person',
    points: 2,
    after:
      /^['’]s (?:daughter|son|wife|husband|mother|father|brother|sister|address|name|account|songs?|band|book|email)\b/i,
  },
  { kind: 'person', points: 2, after: /^\s*(is|was) (?:very |quite )?(reliable|from|a|born|happy|responsible)\b/i },
  {
    kind: 'organisation',
    points: 4,
    before:
      /\b(work(?:s|ed|ing)? (?:for|at)|employ(?:ed|ee) (?:by|of|at)|ceo of|cfo of|subsidiary of|division of|acquired|merger with|shares (?:of|in)|on behalf of|founder of|firm|company|supplier:?|vendor:?|customer:?|issued by|is from|employer:?)\s+$/i,
  },
  {
    kind: 'organisation',
    points: 3,
    after:
      /^,?\s*(announced|reported|acquired|is hiring|shares|stock|employees|is the (?:creation|brainchild|owner|maker|parent)|is a (?:company|501|non-profit|startup|firm|manufacturer|supplier)|agrees|shall|and its (?:subsidiaries|affiliates)|\(["“'](?:the )?(?:company|supplier|customer|client|buyer|seller)\b)/i,
  },
  {
    kind: 'place',
    points: 4,
    before:
      /\b(live[sd]? in|liv(?:es|ed|ing) in|moved (?:here |there )?(?:to|from)|born in|grew up in|grow up in|travel(?:led|ed|s)? to|flew to|returned to|arrived (?:at|in)|based in|located in|city of|capital of|state of|republic of|county of|headquartered in|situated in|visit(?:ed|ing)?|home (?:city|town)|i['’]m in|offices? in|branch in)\s+$/i,
  },
  { kind: 'place', points: 2, before: /\b(in|near|across|throughout)\s+$/i },
  { kind: 'place', points: 1, before: /\b(from|to|at)\s+$/i },
]
/** What a name of two or three unknown words most likely is. */
const PRIOR = { person: 2, organisation: 1, place: 0.8 }
/** One unknown word inside a sentence. */
const PRIOR_SINGLE = { person: 0.9, organisation: 0.6, place: 0.5 }
const ENOUGH = 1.5
const KINDS = ['person', 'organisation', 'place'] as const

export function findNames(text: string): Entity[] {
  const lexicon = nameLexicon()
  const candidates = findCandidates(text, lexicon)
  const scored = candidates.map((candidate) => ({ candidate, points: score(candidate, text, lexicon) }))
  shareAmongSiblings(scored, text)
  const sure = sureNames(scored)
  const found: Entity[] = []
  for (const { candidate, points } of scored) {
    const shown = text.slice(candidate.start, candidate.end)
    const elsewhere = sure.get(shown.toLowerCase())
    if (elsewhere !== undefined) points[elsewhere] += 2.5
    const [kind, most] = (Object.entries(points) as [NameKind, number][]).reduce((a, b) => (b[1] > a[1] ? b : a))
    if (most < ENOUGH) continue
    const confidence = Number(Math.min(0.95, 0.45 + most * 0.08).toFixed(3))
    found.push({ kind, text: shown, start: candidate.start, end: candidate.end, confidence })
  }
  return found
}

type Points = Record<NameKind, number>

interface Scored {
  candidate: Candidate
  points: Points
}

function score(candidate: Candidate, text: string, lexicon: Lexicon): Points {
  const words = candidate.tokens.map((token) => token.text).filter((word) => /\p{L}/u.test(word))
  const name = text.slice(candidate.start, candidate.end)
  const points: Points = { person: 0, organisation: 0, place: 0 }
  // "Ut" opens a Latin sentence; only "UT" is Utah.
  const known = name.length > 2 || name === name.toUpperCase() ? lexicon.known(name) : undefined
  if (known !== undefined) points[known] += 3
  if (candidate.titled) points.person += 4
  const last = words.at(-1)!
  if (words.length > 1 && ORGANISATION_END.test(last)) points.organisation += 4
  if (words.length > 1 && PLACE_END.test(last)) points.place += 2
  if (words.length > 1 && ORGANISATION_START.test(words[0]!)) points.organisation += 2
  if (/, .+ (and|&) /.test(name) || /\p{L}&\p{L}| & /u.test(name)) points.organisation += 4
  if (lexicon.isFirstName(words[0]!) && words.length <= 4 && words.length > 1) points.person += 3
  const unknown = words.filter((word) => !lexicon.isCommon(word)).length
  if (words.length > 1 && words.length <= 4 && unknown >= words.length - 1) {
    for (const one of KINDS) points[one] += PRIOR[one]
    // "Rapid Cycle", "Country Profile": with an everyday word it is seldom a person's name, and often no name at all.
    if (unknown < words.length) {
      points.person -= 1.2
      points.organisation += 0.3
    }
  } else if (unknown === 1 && words.length === 1 && name.length > 2) {
    for (const kind of KINDS) points[kind] += PRIOR_SINGLE[kind]
  }
  if (words.some((word) => /^[A-Z]\.?$/.test(word)) && words.length > 1) points.person += 1
  if (isAddress(candidate, words, text)) for (const one of KINDS) points[one] -= one === 'place' ? 1.5 : 4
  // README.md, SQLite3, HTTP2: things, not people.
  if (/\p{L}\.\p{Ll}|\d|_/u.test(name)) points.person -= 4
  addCues(candidate, text, points)
  addLayout(candidate, text, points, words.length === 1 && lexicon.isCommon(words[0]!))
  // A single everyday word at the start of a sentence needs more than a preposition.
  if (words.length === 1 && lexicon.isCommon(words[0]!) && !candidate.titled) {
    for (const kind of KINDS) points[kind] -= 3
  }
  return points
}

/** Streets are named after people and places; with a house number they are neither. */
function isAddress(candidate: Candidate, words: string[], text: string): boolean {
  if (words.some((word) => STREET.test(word))) return true
  const before = /(^|[\s,])\d{1,5}[a-z]?,? $/.test(text.slice(Math.max(0, candidate.start - 8), candidate.start))
  const after = /^,? (u\. )?\d{1,4}\b(?!\d|[.,]\d| (?:January|February|March|April|May|June|July|August))/.test(
    text.slice(candidate.end, candidate.end + 9),
  )
  return (before || after) && candidate.tokens.length <= 3
}

function addCues(candidate: Candidate, text: string, points: Points): void {
  const before = text.slice(Math.max(0, candidate.start - 48), candidate.start)
  const after = text.slice(candidate.end, candidate.end + 48)
  for (const cue of CUES) {
    if (cue.before !== undefined && !cue.before.test(before)) continue
    if (cue.after !== undefined && !cue.after.test(after)) continue
    points[cue.kind] += cue.points
  }
}

/** Lines of their own: a speaker before a colon, the name above an address, the town below one. */
function addLayout(candidate: Candidate, text: string, points: Points, isCommon: boolean): void {
  const lineStart = text.lastIndexOf('\n', candidate.start - 1) + 1
  const lineEnd = indexOrEnd(text, '\n', candidate.end)
  const lead = text.slice(lineStart, candidate.start)
  const tail = text.slice(candidate.end, lineEnd)
  if (/^\W{0,4}$/.test(lead) && /^:\s?\S/.test(tail) && !isCommon) points.person += 2.5
  if (!/^\W{0,4}$/.test(lead) || !/^[\s.,]*$/.test(tail)) {
    if (/^\W{0,4}$/.test(lead) && /^\s\d{4,6}\s*$/.test(tail)) points.place += 3
    return
  }
  const above = text.slice(text.lastIndexOf('\n', lineStart - 2) + 1, Math.max(0, lineStart - 1))
  const below = text.slice(lineEnd + 1, indexOrEnd(text, '\n', lineEnd + 1))
  if (/\d/.test(above) && above.length < 80) points.place += 2
  if (/\d/.test(below) && below.length < 80 && above.trim() !== '' && !/\d/.test(above)) points.organisation += 1.5
  else if (below.trim() !== '' && below.length < 80 && lineStart < 120) points.person += 0.5
}

function indexOrEnd(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  return at < 0 ? text.length : at
}

/** In "Eklund, Meyer and Hodge" what is known of one holds for the others. */
function shareAmongSiblings(scored: Scored[], text: string): void {
  const between = (at: number) => text.slice(scored[at - 1]!.candidate.end, scored[at]?.candidate.start ?? 0)
  const joined = new Set<number>()
  for (let index = 1; index < scored.length; index++) {
    if (!/^,? (and|&|or|und|et) $/.test(between(index))) continue
    // Commas make a list only when an "and" ends it.
    for (let at = index; at > 0 && (at === index || between(at) === ', '); at--) joined.add(at)
  }
  const share = (from: Scored, to: Scored) => {
    for (const kind of KINDS) if (from.points[kind] >= 2.5) to.points[kind] += Math.min(2.5, from.points[kind] * 0.6)
  }
  for (let index = 1; index < scored.length; index++) {
    const [a, b] = [scored[index - 1]!, scored[index]!]
    if (!joined.has(index)) continue
    // Two unknown names side by side are more often people than anything else.
    for (const one of [a, b]) one.points.person += 0.4
    share(a, b)
  }
  for (let index = scored.length - 1; index > 0; index--) {
    if (joined.has(index)) share(scored[index]!, scored[index - 1]!)
  }
}

/** Full names that are certain tell what their parts are where they stand alone. */
function sureNames(scored: Scored[]): Map<string, NameKind> {
  const sure = new Map<string, NameKind>()
  for (const { candidate, points } of scored) {
    const [kind, most] = (Object.entries(points) as [NameKind, number][]).reduce((a, b) => (b[1] > a[1] ? b : a))
    if (most < 3) continue
    sure.set(
      candidate.tokens
        .map((token) => token.text)
        .join(' ')
        .toLowerCase(),
      kind,
    )
    if (kind === 'person') {
      for (const token of candidate.tokens) if (token.text.length > 2) sure.set(token.text.toLowerCase(), 'person')
    }
  }
  return sure
}
