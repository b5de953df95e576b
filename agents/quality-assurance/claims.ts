// Another agent's output to statements that can be checked: those with figures against the data, sentences against the
// document. A summary repeats what insights say, so its sentences may use their figures.
import type { Analysis } from './request.ts'

export interface Statement {
  text: string
  figures: { name: string; value: string | number | null; sql: string }[]
}

export function statementsOf(
  { insights = [], keyFigures = [], summary, sentences = [] }: Analysis,
  aboutData: boolean,
): Statement[] {
  const all = [...insights.flatMap((insight) => insight.figures), ...keyFigures]
  const statements: Statement[] = [
    ...insights.map(({ text, figures }) => ({ text, figures })),
    ...keyFigures.map((figure) => ({ text: figure.name, figures: [figure] })),
  ]
  if (!aboutData) return statements
  return [...statements, ...splitSentences(summary ?? ''), ...sentences].map((one) =>
    typeof one === 'string' ? { text: one, figures: all } : one,
  )
}

export function splitSentences(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+(?=\p{Lu})/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
}
