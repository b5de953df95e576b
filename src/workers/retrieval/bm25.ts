// BM25, the same in both stores: the weight of a term in a passage, and which terms of a query are worth following.

export const SATURATION = 1.2
export const LENGTH_SHARE = 0.75

/**
 * Postings one query may walk. "The" stands in every passage: following it costs a scan of the collection and decides
 * nothing. Terms are followed from the rarest on while their postings fit; the others still count in the scores of the
 * passages so found. Collections with fewer postings than this are scored exactly.
 */
export const POSTINGS_BUDGET = 20_000

/** Passages whose exact score is computed for an answer of `limit`. */
export function candidatesFor(limit: number): number {
  return Math.max(100, 2 * limit)
}

export interface TermCount {
  term: string
  /** Passages of the collection that contain it. */
  passages: number
}

/** Terms to follow: the rarest, and at least one. Terms that stand nowhere are dropped. */
export function termsToFollow(counts: readonly TermCount[], budget: number = POSTINGS_BUDGET): TermCount[] {
  const known = counts.filter(({ passages }) => passages > 0).sort((a, b) => a.passages - b.passages)
  let walked = 0
  return known.filter(({ passages }, place) => {
    walked += passages
    return place === 0 || walked <= budget
  })
}

export function rarity(total: number, passages: number): number {
  return Math.log(1 + (total - passages + 0.5) / (passages + 0.5))
}

export function termWeight(rarityOfTerm: number, frequency: number, length: number, averageLength: number): number {
  const norm = SATURATION * (1 - LENGTH_SHARE + (LENGTH_SHARE * length) / averageLength)
  return (rarityOfTerm * frequency * (SATURATION + 1)) / (frequency + norm)
}
