// Tail probabilities. The incomplete beta function by its continued fraction (Lentz's method) carries t and F.

/** P(|Z| ≥ |z|) of a standard normal. Accurate in the far tail, where the tests of thousands of points live. */
export function normalTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  // Abramowitz and Stegun 7.1.26 fails beyond z = 5; the continued fraction of erfc does not.
  if (x > 2) {
    let fraction = x
    for (let term = 60; term >= 1; term--) fraction = x + term / 2 / fraction
    return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI))
  }
  let sum = x
  let term = x
  for (let order = 1; order < 60; order++) {
    term *= (-x * x) / order
    sum += term / (2 * order + 1)
  }
  return Math.max(0, 1 - (2 / Math.sqrt(Math.PI)) * sum)
}

/** P(|T| ≥ |t|) with the given degrees of freedom. */
export function studentTail(t: number, freedom: number): number {
  if (!(freedom > 0) || Number.isNaN(t)) return 1
  return incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
}

/** P(F ≥ f). */
export function varianceRatioTail(f: number, freedomAbove: number, freedomBelow: number): number {
  if (!(freedomAbove > 0) || !(freedomBelow > 0) || !(f > 0)) return 1
  if (f === Number.POSITIVE_INFINITY) return 0
  return incompleteBeta(freedomBelow / (freedomBelow + freedomAbove * f), freedomBelow / 2, freedomAbove / 2)
}

function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300
  const guard = (value: number) => (Math.abs(value) < tiny ? tiny : value)
  let c = 1
  let d = 1 / guard(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / guard(1 + even * d)
    c = guard(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / guard(1 + odd * d)
    c = guard(1 + odd / c)
    const step = d * c
    result *= step
    if (Math.abs(step - 1) < 1e-12) break
  }
  return result
}

/** Lanczos's approximation, g = 7. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]
function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z)
  const x = z - 1
  let sum = LANCZOS[0]!
  for (let index = 1; index < LANCZOS.length; index++) sum += LANCZOS[index]! / (x + index)
  const t = x + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(sum)
}
