// Random numbers that a seed decides: a model trained twice from one seed is the same file, bit for bit.

export interface Random {
  /** A float in [0, 1). */
  next(): number
  /** An integer in [0, below). */
  below(limit: number): number
  pick<Item>(items: readonly Item[]): Item
  /** True with this probability. */
  chance(probability: number): boolean
  shuffle<Items extends { length: number; [index: number]: unknown }>(items: Items): Items
  /** An independent stream: what is drawn from it does not move what is drawn here. */
  fork(name: string): Random
}

export function seededRandom(seed: number | string): Random {
  let state = typeof seed === 'number' ? seed >>> 0 : hashSeed(seed)
  const origin = state
  // Mulberry32: one multiplication-heavy step of a 32-bit counter; passes the usual tests and needs one word of state.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    pick: (items) => items[below(items.length)]!,
    chance: (probability) => next() < probability,
    shuffle(items) {
      for (let last = items.length - 1; last > 0; last--) {
        const other = below(last + 1)
        const kept = items[last]
        items[last] = items[other]
        items[other] = kept
      }
      return items
    },
    fork: (name) => seededRandom((origin ^ hashSeed(name)) >>> 0),
  }
}

function hashSeed(name: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
