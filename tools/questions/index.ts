// Questions in words to SQL, without a model. The grammar (case, plurals and filler words do not matter):
//
//   question   = [asks] subject [grouping …] [condition …] [time]
//   subject    = aggregate measure | "how many" rows | "number of" rows | "growth of" measure | "share of" measure
//              | "which" dimension ("gained" | "lost") "most" measure | ("best" | "worst") ("day" | "week" | "month" | "quarter" | "year")
//              | ("top" | "bottom") [count] dimension "by" (measure | "growth" ["of" measure])
//   aggregate  = total | sum | average | mean | minimum | lowest | maximum | highest | count      ("total" when absent)
//   grouping   = ("by" | "per" | "for each" | "over") (dimension | "hour" | "day" | "week" | "month" | "quarter" | "year" | "time")
//   condition  = ["where" | "for" | "in" | "of" | "with" | "and"] [dimension ["is" | "=" | "not"]] value
//   time       = "in" period | "since" period | "after" period | "before" period | "until" period
//              | ("between" | "from") period ("and" | "to") period
//              | "last" count ("days" | "weeks" | "months" | "quarters" | "years")
//   period     = 2024 | Q1 2024 | 2024-Q1 | March 2024 | 2024-03 | 2024-03-15
//
//   words.ts      the question as words; names of columns and values found in it
//   periods.ts    periods in words to conditions
//   understand.ts words to a query in parts, with what was assumed; or a refusal that says which word is not understood
//   write-sql.ts  the parts to SQL that DuckDB and SQLite read alike
export { type Query, understand } from './understand.ts'
export { writeSql } from './write-sql.ts'
