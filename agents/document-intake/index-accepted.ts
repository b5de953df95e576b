// Puts what was accepted into the collection. The analyzer could while it reads, but then what is refused would be found.
import { step } from '@troupe/sdk'

export interface Indexable {
  documentId: string
  textDocument: string
  title?: string
  metadata: Record<string, string>
}

export const indexAccepted = step<{ collection: string; document: Indexable }, number>(
  async ({ input: { collection, document }, ctx }) => {
    const { textDocument, ...described } = document
    const text = new TextDecoder().decode(await ctx.documents.read(textDocument))
    // The same document again replaces its passages, so a step that runs twice indexes once.
    return (await ctx.retrieval.upsert(collection, [{ ...described, text }])).passages
  },
  { timeout: 300_000, retries: 3 },
)
