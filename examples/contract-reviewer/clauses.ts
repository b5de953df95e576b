const RISKS = [
  { risk: 'unlimited liability', pattern: /unlimited liability|liability[^.]*without limit/i },
  { risk: 'automatic renewal', pattern: /automatic(ally)? renew/i },
  { risk: 'one-sided termination', pattern: /terminat[^.]*sole discretion|sole discretion[^.]*terminat/i },
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
