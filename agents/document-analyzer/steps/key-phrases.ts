// What the document is about, in its own words.
import { step } from '@troupe/sdk'
import { keyPhrases } from '@troupe/tools/key-phrases'
import type { KeyPhrase } from '../shapes.ts'
import { storedText, telling } from './stored-text.ts'

interface PhrasesInput {
  textDocument: string
  format: string
  language: string
}

export const findKeyPhrases = step<PhrasesInput, KeyPhrase[]>(async ({ input, ctx }) => {
  const text = telling(await storedText(ctx, input.textDocument), input.format)
  const { phrases } = await ctx.tool(keyPhrases, { text, language: input.language, limit: 15 })
  return phrases.map(({ text: phrase, score, count }) => ({ text: phrase, score, count }))
})
