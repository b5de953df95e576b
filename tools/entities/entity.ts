// Who, where, when and how much: what a text names, with offsets into it.
//   recognise.ts    the pipeline: rules, dates, phones, names; overlaps settled by confidence
//   rules.ts        one row for each thing that has a form: e-mail, IBAN, card, SSN, IP, URL, ids, money, quantities
//   checks.ts       check digits          money.ts     amounts and units as numbers
//   dates.ts        dates, normalised     phones.ts    telephone numbers
//   names.ts        people, organisations, places: what a candidate is
//   name-candidates.ts   what might be a name       name-words.ts   the words names are told by
import { z } from 'zod'

export const ENTITY_KINDS = [
  'person',
  'organisation',
  'place',
  'date',
  'money',
  'quantity',
  'email',
  'phone',
  'url',
  'iban',
  'card',
  'ssn',
  'ip',
  'id',
] as const
export type EntityKind = (typeof ENTITY_KINDS)[number]

export const entity = z.object({
  kind: z.enum(ENTITY_KINDS),
  text: z.string(),
  start: z.number().int(),
  end: z.number().int(),
  page: z.number().int().optional(),
  /** One form for what is written in many: ISO dates, E.164 numbers, "EUR 1234.5". */
  value: z.string().optional(),
  /** What kind of id: invoice, passport, vat … */
  scheme: z.string().optional(),
  confidence: z.number(),
})
export type Entity = z.infer<typeof entity>

/** A personal-data kind that `redact` masks unless told otherwise. */
export const PERSONAL: readonly EntityKind[] = ['person', 'email', 'phone', 'iban', 'card', 'ssn', 'ip']
