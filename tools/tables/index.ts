// Tables: how a file becomes something that SQL can be asked about. Used by every data tool.
//   dataset.ts         what an agent's caller names: a document, text, rows, or a query on a named database
//   source.ts          what a tool is sent: a CSV, XLSX, JSON, Parquet, SQLite file or plain rows, and the limits
//   decode-text.ts     bytes of any usual encoding to text
//   csv.ts             RFC 4180 with a guessed separator; ragged rows are padded or cut, and named
//   records.ts         JSON, NDJSON and plain rows to a grid
//   workbook.ts        one sheet of an XLSX to a grid          sqlite-file.ts   one table of an SQLite file
//   infer-types.ts     a grid of text to typed columns; what does not fit its column is named
//   dates.ts           the date spellings that are understood, to ISO
//   parse.ts           source → typed columns; in a worker thread when the file is large or a workbook
//   parse-worker.ts    the other end of that thread
//   database.ts        typed columns in a locked DuckDB; a query has a time, a memory and a row limit
//   read-only.ts       refuses every statement but one SELECT over these tables
//   sql-dialect.ts     SQL fragments that DuckDB and SQLite read alike, so that figures can be checked elsewhere
// P9: a bad file or bad SQL ends as document_unreadable, limit_exceeded or query_refused, never as a dead host.
export { type LoadedTable, openTables, type QueryResult, type Tables } from './database.ts'
export type { Column, ColumnType, TableIssue } from './infer-types.ts'
export { TABLE_LIMITS, type TableSource, tableSource, tableSources } from './source.ts'
export * as sql from './sql-dialect.ts'
