// Measures an embedder without questions and judges: a text is cut into two halves, every other sentence each, and the
// one half should lie nearest to the other among the halves of all texts.

const FEWEST_WORDS = 12

/** Null for a text that is too short to be cut. */
export function halves(text: string): [string, string] | null {
  let pieces = text.split(/(?<=[.!?。।؟])\s+|\n+/).filter((piece) => piece.trim() !== '')
  if (pieces.length < 2) pieces = text.split(/\s+/)
  if (text.split(/\s+/).length < FEWEST_WORDS && text.length < 3 * FEWEST_WORDS) return null
  if (pieces.length < 2) return null
  return [pieces.filter((_, at) => at % 2 === 0).join(' '), pieces.filter((_, at) => at % 2 === 1).join(' ')]
}

/** The share of texts whose first half finds its second. At most a thousand texts are tried: the cost is their square. */
export async function halvesMeet(
  texts: readonly string[],
  embed: (texts: readonly string[]) => Promise<Float32Array[]>,
): Promise<number> {
  const pairs = texts.slice(0, 1000).flatMap((text) => {
    const cut = halves(text)
    return cut === null ? [] : [cut]
  })
  if (pairs.length === 0) return 0
  const asked = await embed(pairs.map(([half]) => half))
  const found = (await embed(pairs.map(([, half]) => half))).map(unit)
  const met = asked.filter((vector, at) => {
    const likeness = found.map((candidate) => product(vector, candidate))
    return likeness.every((value, other) => other === at || value < likeness[at]!)
  })
  return met.length / pairs.length
}

function product(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let index = 0; index < one.length; index++) sum += one[index]! * other[index]!
  return sum
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(product(vector, vector)) || 1
  return vector.map((value) => value / length)
}
