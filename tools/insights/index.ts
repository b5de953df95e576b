// Insights: what a table says that a person would want to know, each statement with the SQL behind each of its numbers.
//   candidate.ts      what a finder hands in: a sentence with gaps, the SQL that fills them, the chance it is chance
//   plan.ts           which column is time, which are measures and dimensions, at which grain time is looked at
//   series.ts         one measure over time, gaps and half-covered edges taken care of
//   over-time.ts      trend, break, seasonality and outliers of one series, told apart from each other
//   drivers.ts        the segment that makes a total change
//   row-outliers.ts   single rows far from all others
//   correlations.ts   measures that move together, with a warning where something else may move both
//   concentration.ts  few segments that make most of a total
//   gaps.ts           periods without any row
//   discover.ts       runs the finders, controls false discovery, fills the gaps by running the SQL, ranks
// Every number in a sentence is the result of its SQL, by construction: the finder writes a name, the SQL fills it in.
export { discover, insight } from './discover.ts'
export { type Plan, planAnalysis } from './plan.ts'
export { readSeries, type Series, seriesSql } from './series.ts'
