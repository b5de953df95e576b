// What is wrong with a text as a text: nothing in it, letters lost in a wrong encoding, places nobody filled in,
// passages that stand there twice.
import type { Violation } from '@troupe/tools/quality/index'

const PLACEHOLDERS =
  /\b(?:TODO|TBD|TBC|FIXME|lorem ipsum)\b|\[(?:name|date|company|address|amount|insert[^\]]{0,40}|x+|\.{2,})\]|<<[^<>]{1,40}>>|\{\{[^{}]{1,60}\}\}|_{5,}/gi
const LOST = /\uFFFD|Ã[\u0080-\u00bf]|â€[\u0080-\u201d™œ]/g
const LONG_PARAGRAPH = 200

export function checkText(text: string): Violation[] {
  const paragraphs = text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
  const words = text.split(/\s+/).filter((word) => word !== '').length
  const placeholders = [...text.matchAll(PLACEHOLDERS)]
  const lost = [...text.matchAll(LOST)]
  const long = paragraphs.filter((paragraph) => paragraph.length >= LONG_PARAGRAPH)
  const seen = new Set<string>()
  const repeated = long.filter((paragraph) => seen.has(paragraph) || !seen.add(paragraph))
  return [
    outcome('the document has text', 'filled', 'completeness', 'error', 1, words === 0 ? ['no word'] : []),
    outcome(
      'every place is filled in',
      'placeholder',
      'completeness',
      'warning',
      Math.max(1, paragraphs.length),
      placeholders.map((match) => `${match[0]} at ${match.index}`),
    ),
    outcome(
      'no letter is lost in a wrong encoding',
      'encoding',
      'validity',
      'error',
      Math.max(1, words),
      lost.map((match) => `at ${match.index}: ${around(text, match.index)}`),
    ),
    outcome(
      'no long passage stands there twice',
      'repeated',
      'uniqueness',
      'warning',
      Math.max(1, long.length),
      repeated.map((paragraph) => paragraph.slice(0, 80)),
    ),
  ]
}

function outcome(
  expectation: string,
  kind: string,
  dimension: Violation['dimension'],
  severity: Violation['severity'],
  checked: number,
  found: string[],
): Violation {
  const broken = Math.min(checked, found.length)
  return {
    expectation,
    kind,
    dimension,
    columns: [],
    severity,
    source: 'inferred',
    holds: found.length === 0,
    checked,
    broken,
    examples: found.slice(0, 10).map((value) => ({ value })),
  }
}

function around(text: string, at: number): string {
  return JSON.stringify(text.slice(Math.max(0, at - 15), at + 15))
}
