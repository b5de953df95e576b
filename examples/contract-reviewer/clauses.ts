// With a most between the words: contracts come from anyone, and `[^.]*` from each of a thousand words takes its time.
const RISKS = [
  { risk: 'unlimited liability', pattern: /unlimited liability|liability[^.]{0,300}without limit/i },
  { risk: 'automatic renewal', pattern: /automatic(ally)? renew/i },
  { risk: 'one-sided termination', pattern: /terminat[^.]{0,300}sole discretion|sole discretion[^.]{0,300}terminat/i },
]

export interface Finding {
  risk: string
  sentence: string
}

export function findRisks(text: string): Finding[] {
  const sentences = text.split(/(?<=[.!?])\s+/)
  return sentences.flatMap((sentence) =>
    RISKS.filter(({ pattern }) => pattern.test(sentence)).map(({ risk }) => ({ risk, sentence })),
  )
}
