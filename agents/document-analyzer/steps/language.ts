// Which language the document is in.
import { step } from '@troupe/sdk'
import { detectLanguage } from '@troupe/tools/detect-language'
import type { Language } from '../shapes.ts'
import { storedText } from './stored-text.ts'

export const tellLanguage = step<{ textDocument: string }, Language>(async ({ input, ctx }) => {
  const text = await storedText(ctx, input.textDocument)
  // Twenty pages tell it as well as two thousand.
  const { language, confidence } = await ctx.tool(detectLanguage, { text: text.slice(0, 60_000) })
  return { code: language, confidence }
})
