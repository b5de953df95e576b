// Repeatable chance: the same seed gives the same scenario.
import { seededRandom } from '../../src/training/random.ts'

export type Random = () => number

export const seeded = (seed: number): Random => seededRandom(seed).next
