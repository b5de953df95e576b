// recognise-entities: who, where, when and how much a text names, with offsets (entities/).
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { documentPool } from './document-pool.ts'
import { LIMITS } from './documents/document.ts'
import { ENTITY_KINDS, type Entity, entity } from './entities/entity.ts'

export type { Entity, EntityKind } from './entities/entity.ts'

export const recogniseEntities = defineTool({
  name: 'recognise-entities',
  description:
    'Finds people, organisations, places, dates (as ISO 8601), money, quantities, e-mail addresses, phone numbers, URLs, ' +
    'IBANs, card numbers, social security numbers, IP addresses and ids in a text, with offsets.',
  input: z.object({
    text: z.string().max(LIMITS.textLength),
    kinds: z.array(z.enum(ENTITY_KINDS)).optional().describe('Only these; all when absent'),
    dayFirst: z.boolean().optional().describe('Reads 03/04/2025 as 3 April'),
    reference: z.iso.date().optional().describe('The day that "yesterday" counts from'),
    pageStarts: z.array(z.number().int()).optional().describe('Where pages begin; entities then say their page'),
  }),
  output: z.object({ entities: z.array(entity) }),
  limits: { time: 120_000 },
  async run(input, { signal }) {
    const entities = await documentPool('read').run('recognise-entities', input, { signal, time: 110_000 })
    return { entities: entities as Entity[] }
  },
})
