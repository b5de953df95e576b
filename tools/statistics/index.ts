// Statistics: the little mathematics that the data tools share; pure functions over arrays of numbers.
//   distributions.ts     tails of the normal, Student's t and F distributions
//   robust.ts            median, median absolute deviation, quantiles: what a few wild values cannot move
//   regression.ts        least squares over a handful of columns
//   false-discovery.ts   Benjamini–Hochberg: how many of the things found by chance to tolerate
//   change-model.ts      does a series have a trend, a step, both or neither
//   seasonality.ts       does a series repeat with a cycle, and with which shape
//   outliers.ts          values that stand apart from all others

export { type ChangeModel, correlationChance, fitChange, stepChanceAt } from './change-model.ts'
export { normalTail, studentTail, varianceRatioTail } from './distributions.ts'
export { adjustForDiscovery } from './false-discovery.ts'
export { type Outlier, separatedOutliers } from './outliers.ts'
export { fitLeastSquares, solve } from './regression.ts'
export { mean, median, medianDeviation, quantile, runningMedian } from './robust.ts'
export { findSeason, type Season } from './seasonality.ts'
