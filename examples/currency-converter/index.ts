// An agent as one function: what it does through `ctx.step` is recorded, so a crash does not do it twice.
import { defineAgent, TroupeError } from '@troupe/sdk'
import { z } from 'zod'
import { exampleRates } from './rates.ts'

const currency = z.string().regex(/^[A-Z]{3}$/, 'three capital letters, like EUR')
const rates = z.object({ date: z.iso.date(), perEuro: z.record(z.string(), z.number().positive()) })

export default defineAgent({
  name: 'currency-converter',
  version: '1.0.0',
  description: 'Converts an amount between currencies, by dated rates',
  input: z.object({ amount: z.number(), from: currency, to: currency, rates: rates.default(exampleRates) }),
  output: z.object({ amount: z.number(), currency, rate: z.number(), date: z.iso.date() }),
  async run({ input, step }) {
    const rate = await step(
      'rate',
      () => rateOf(input.rates.perEuro, input.to) / rateOf(input.rates.perEuro, input.from),
    )
    return { amount: input.amount * rate, currency: input.to, rate, date: input.rates.date }
  },
})

function rateOf(perEuro: Record<string, number>, wanted: string): number {
  const rate = perEuro[wanted]
  if (rate !== undefined) return rate
  throw new TroupeError(
    'invalid_input',
    `There is no rate for ${wanted}; there are ${Object.keys(perEuro).join(', ')}.`,
  )
}
