// Reproducible random numbers: the same seed plants the same table on every machine.
import { seededRandom } from '../src/training/random.ts'

export function random(seed: number) {
  const uniform = seededRandom((seed * 0x9e3779b9) >>> 0).next
  return {
    uniform,
    between: (low: number, high: number) => low + (high - low) * uniform(),
    integer: (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1)),
    sign: () => (uniform() < 0.5 ? -1 : 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  }
}
