// Answers a question about the document, or, without one, about the collection: the best passages, and with an LLM an
// answer made of them that cites each by its number.
import { type StepContext, step, TroupeError } from '@troupe/sdk'
import { checkClaims } from '@troupe/tools/check-claims'
import { findPassages } from '@troupe/tools/find-passages'
import type { AnalysisWarning, Answer, ReadDocument } from '../shapes.ts'
import { askLlm, asMaterial, MATERIAL } from './llm.ts'
import { pageOf, storedText } from './stored-text.ts'

interface AnswerInput {
  question: string
  language: string
  collection: string | undefined
  document: ReadDocument | undefined
}

interface Answered {
  answer: Answer
  warnings: AnalysisWarning[]
}

type Citation = Answer['citations'][number]

const CITED = 6
/** A second sentence is given when it answers nearly as well. */
const ALSO_SAID = 0.75

export const answerQuestion = step<AnswerInput, Answered>(
  async ({ input, ctx }) => {
    const citations =
      input.document === undefined ? await fromCollection(input, ctx) : await fromDocument(input.document, input, ctx)
    if (citations.length === 0) {
      return { answer: { kind: 'none', text: 'Nothing that answers the question was found.', citations }, warnings: [] }
    }
    const passages: Answer = {
      kind: 'passages',
      text: await shortest(citations, input, ctx),
      citations: citations.slice(0, 3),
    }
    if (!ctx.llm.configured) return { answer: passages, warnings: [] }
    try {
      return await compose(input, citations, passages, ctx)
    } catch (error) {
      if (ctx.signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      return { answer: passages, warnings: [{ kind: 'degraded', message: `The LLM composed no answer: ${reason}` }] }
    }
  },
  { timeout: 180_000 },
)

/** The one or two sentences of the best passages that answer; the passages around them are the citations. */
async function shortest(citations: Citation[], { question, language }: AnswerInput, ctx: StepContext): Promise<string> {
  const text = citations
    .slice(0, 3)
    .map((one) => one.text)
    .join('\n\n')
  const { passages: sentences } = await ctx.tool(findPassages, { text, question, language, limit: 2, window: 0 })
  const [best] = sentences
  if (best === undefined) return citations[0]!.text
  return sentences
    .filter((one) => one.score >= best.score * ALSO_SAID)
    .sort((a, b) => a.start - b.start)
    .map((one) => one.text.replace(/\s+/g, ' '))
    .join(' ')
}

async function fromDocument(document: ReadDocument, input: AnswerInput, ctx: StepContext): Promise<Citation[]> {
  if (document.textDocument === undefined) return []
  const text = await storedText(ctx, document.textDocument)
  const { question, language } = input
  const { passages } = await ctx.tool(findPassages, {
    text,
    question,
    language,
    limit: CITED,
    breaks: document.pageStarts,
  })
  return passages.map((one) => ({
    ...(document.id === undefined ? {} : { documentId: document.id }),
    ...one,
    page: pageOf(one.start, document.pageStarts),
  }))
}

async function fromCollection(input: AnswerInput, ctx: StepContext): Promise<Citation[]> {
  if (!(await ctx.retrieval.available())) {
    throw new TroupeError('worker_unavailable', `No retrieval worker answers: ${input.collection} cannot be asked`)
  }
  const passages = await ctx.retrieval.search(input.collection!, input.question, { limit: CITED })
  return passages.map(({ documentId, text, start, end, score }) => ({ documentId, text, start, end, score }))
}

async function compose(
  input: AnswerInput,
  citations: Citation[],
  passages: Answer,
  ctx: StepContext,
): Promise<Answered> {
  const system =
    'Answer the question from the numbered passages only, in one to four sentences, and put the number of the passage that ' +
    `says so behind each sentence, like [2]. If they do not answer it, say so. ${MATERIAL}`
  const numbered = citations.map((one, index) => `[${index + 1}] ${one.text}`).join('\n\n')
  const written = (await askLlm(ctx, system, `${asMaterial(numbered)}\n\nQuestion: ${input.question}`, 600)).trim()
  const cited = [...new Set(Array.from(written.matchAll(/\[(\d{1,2})\]/g), ([, number]) => Number(number)))]
  const used = cited.filter((number) => number >= 1 && number <= citations.length)
  const bare = written.replace(/\s*\[\d{1,2}\]/g, '')
  const source = used.map((number) => citations[number - 1]!.text).join('\n\n')
  const { claims } = await ctx.tool(checkClaims, { source, claims: [bare.slice(0, 4_000)], language: input.language })
  if (used.length === 0 || claims[0]!.missing.length > 0) {
    const what =
      used.length === 0 ? 'cites no passage' : `names what no cited passage has: ${claims[0]!.missing.join(', ')}`
    return {
      answer: passages,
      warnings: [{ kind: 'degraded', message: `The LLM’s answer ${what}; the passages are given instead` }],
    }
  }
  // Numbers in the text follow the order of the citations below it.
  const text = written.replace(/\[(\d{1,2})\]/g, (_, number: string) => {
    const place = used.indexOf(Number(number)) + 1
    return place === 0 ? '' : `[${place}]`
  })
  return { answer: { kind: 'composed', text, citations: used.map((number) => citations[number - 1]!) }, warnings: [] }
}
