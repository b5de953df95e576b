// Puts the document into a collection, where questions find it.
import { step } from '@troupe/sdk'
import type { AnalysisWarning, ReadDocument } from '../shapes.ts'
import { storedText } from './stored-text.ts'

interface IndexInput {
  collection: string
  document: ReadDocument
  type: string | undefined
  language: string | undefined
}

export interface Indexed {
  indexed?: { collection: string; passages: number }
  warnings: AnalysisWarning[]
}

export const indexDocument = step<IndexInput, Indexed>(
  async ({ input, ctx }) => {
    const { collection, document, type, language } = input
    if (!(await ctx.retrieval.available())) {
      return { warnings: [{ kind: 'degraded', message: `No retrieval worker: nothing was put into ${collection}` }] }
    }
    const text = await storedText(ctx, document.textDocument!)
    const title = document.metadata.title ?? document.name
    // The same document again replaces its passages, so a step that runs twice indexes once.
    const { passages } = await ctx.retrieval.upsert(collection, [
      {
        documentId: document.id ?? document.textDocument!,
        text,
        ...(title === undefined ? {} : { title }),
        metadata: {
          format: document.format,
          textDocument: document.textDocument!,
          ...(document.name === undefined ? {} : { name: document.name }),
          ...(type === undefined ? {} : { type }),
          ...(language === undefined ? {} : { language }),
        },
      },
    ])
    return { indexed: { collection, passages }, warnings: [] }
  },
  { timeout: 300_000, retries: 3 },
)
