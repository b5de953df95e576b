// Data quality: what is expected of a table, where it is not so, and how good the table is by that.
//   expectation.ts   what can be expected, as data
//   infer.ts         expectations that nearly all rows of a table itself suggest
//   violations.ts    an expectation to SQL: how many rows break it, and which
//   score.ts         violations to scores for each dimension and overall, with how they were computed
//   drift.ts         a table against a reference: which columns are distributed otherwise
export { compareColumns, type DriftedColumn, driftedColumn } from './drift.ts'
export { describeExpectation, type Expectation, expectation } from './expectation.ts'
export { inferExpectations } from './infer.ts'
export { scoreOf, scores } from './score.ts'
export { checkExpectation, type Violation, violation } from './violations.ts'
