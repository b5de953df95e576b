// What the document is about, in its own words.
import { step } from '@troupe/sdk'
import { keyPhrases } from '@troupe/tools/key-phrases'
import type { KeyPhrase } from '../shapes.ts'
import { storedText } from './stored-text.ts'

export const findKeyPhrases = step<{ textDocument: string; language: string }, KeyPhrase[]>(async ({ input, ctx }) => {
  const text = await storedText(ctx, input.textDocument)
  const { phrases } = await ctx.tool(keyPhrases, { text, language: input.language, limit: 15 })
  return phrases.map(({ text: phrase, score, count }) => ({ text: phrase, score, count }))
})
