// redact: a text with its personal data masked, by kind, and the list of what was masked without its values.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { LIMITS } from './documents/document.ts'
import { ENTITY_KINDS, PERSONAL } from './entities/entity.ts'
import { recogniseEntities } from './recognise-entities.ts'

const STYLES = ['label', 'stars', 'last-four'] as const

export const redact = defineTool({
  name: 'redact',
  description:
    'Masks personal data (names, e-mail addresses, phones, IBANs, cards, social security numbers, IPs) in a text.',
  input: z.object({
    text: z.string().max(LIMITS.textLength),
    kinds: z.array(z.enum(ENTITY_KINDS)).default([...PERSONAL]),
    style: z
      .enum(STYLES)
      .default('label')
      .describe('label: [email]; stars: as many * as letters; last-four: all but the last four of numbers'),
    /** Below it a finding is left alone; a missed name hurts more than a masked word. */
    confidence: z.number().min(0).max(1).default(0.5),
  }),
  output: z.object({
    text: z.string(),
    masked: z.array(z.object({ kind: z.enum(ENTITY_KINDS), start: z.number().int(), end: z.number().int() })),
    counts: z.record(z.string(), z.number().int()),
  }),
  limits: { time: 120_000 },
  async run({ text, kinds, style, confidence }, context) {
    const { entities } = await recogniseEntities.call({ text, kinds }, context)
    const pieces: string[] = []
    const masked: { kind: (typeof ENTITY_KINDS)[number]; start: number; end: number }[] = []
    const counts: Record<string, number> = {}
    let at = 0
    for (const one of entities) {
      if (one.confidence < confidence) continue
      pieces.push(text.slice(at, one.start), mask(one.kind, one.text, style))
      at = one.end
      masked.push({ kind: one.kind, start: one.start, end: one.end })
      counts[one.kind] = (counts[one.kind] ?? 0) + 1
    }
    pieces.push(text.slice(at))
    return { text: pieces.join(''), masked, counts }
  },
})

function mask(kind: string, text: string, style: (typeof STYLES)[number]): string {
  if (style === 'label') return `[${kind}]`
  const letters = [...text]
  const hidden =
    style === 'last-four' && /\d{4}\W*$/.test(text) && letters.length > 8 ? letters.length - 4 : letters.length
  return letters.map((letter, index) => (index < hidden && /[\p{L}\d]/u.test(letter) ? '*' : letter)).join('')
}
