// Reproducible random numbers (mulberry32): the same seed plants the same table on every machine.
export function random(seed: number) {
  let state = (seed * 0x9e3779b9) >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    uniform,
    between: (low: number, high: number) => low + (high - low) * uniform(),
    integer: (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1)),
    sign: () => (uniform() < 0.5 ? -1 : 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}
