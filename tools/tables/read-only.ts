// One SELECT over the given tables, or a refusal. The lock on the database (no files, no network, no settings) is the
// wall; this is the door that says in plain words why it stays shut.
import { type DuckDBConnection, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api'
import { TroupeError } from '@troupe/sdk'

const LONGEST_SQL = 100_000
const READING = new Set(['select', 'with', 'from', 'values'])

export async function prepareReadOnly(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  if (sql.length > LONGEST_SQL) throw refused(`the SQL has ${sql.length} characters; the limit is ${LONGEST_SQL}`)
  const keyword = firstKeyword(sql)
  if (keyword === '') throw refused('the SQL is empty')
  if (!READING.has(keyword)) throw refused(`${keyword.toUpperCase()} is not a SELECT`)
  try {
    const statements = await connection.extractStatements(sql)
    if (statements.count !== 1) throw refused(`${statements.count} statements where one SELECT is allowed`)
    const statement = await statements.prepare(0)
    if (statement.statementType !== StatementType.SELECT) {
      statement.destroySync()
      throw refused(`${StatementType[statement.statementType] ?? 'this'} is not a SELECT`)
    }
    return statement
  } catch (cause) {
    if (cause instanceof TroupeError) throw cause
    throw refused((cause as Error).message.replace(/\n[\s\S]*$/, '').replace(/^Failed to extract statements: /, ''))
  }
}

export function refused(why: string): TroupeError {
  return new TroupeError('query_refused', `the query is refused: ${why}`)
}

function firstKeyword(sql: string): string {
  const bare = sql.replace(/^(?:\s|\(|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '')
  return (/^[A-Za-z]+/.exec(bare)?.[0] ?? bare.slice(0, 1)).toLowerCase()
}
