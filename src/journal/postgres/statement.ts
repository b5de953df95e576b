// A statement as a lane asks it, by the shortest way that pg leaves to queries that are not its own: prepared once on its
// connection, then one write a time, and no description of rows whose columns the asker knows. Half of what a query of pg's
// own costs beside the work of the database is saved.
import type pg from 'pg'

export type Value = string | number | boolean | null

export interface Statement {
  name: string
  text: string
  values: Value[]
}

/** The columns of the first row, as text. */
export type Fields = readonly (string | null)[]

/** The names of what a connection has prepared. */
const prepared = new WeakMap<pg.Connection, Set<string>>()

export class Asked implements pg.Submittable {
  readonly answered: Promise<Fields | undefined>
  readonly #statement: Statement
  readonly #resolve: (fields: Fields | undefined) => void
  readonly #reject: (error: Error) => void
  #fields: Fields | undefined

  constructor(statement: Statement) {
    const { promise, resolve, reject } = Promise.withResolvers<Fields | undefined>()
    this.answered = promise
    this.#statement = statement
    this.#resolve = resolve
    this.#reject = reject
  }

  submit(connection: pg.Connection): void {
    const { name, text, values } = this.#statement
    connection.stream.cork()
    if (!prepared.get(connection)?.has(name)) {
      // What was refused before may have been prepared all the same.
      connection.close({ type: 'S', name }, true)
      connection.parse({ name, text, types: [] }, true)
    }
    connection.bind({ statement: name, values: values.map(encode) }, true)
    connection.execute(null, true)
    connection.sync()
    connection.stream.uncork()
  }

  handleDataRow({ fields }: { fields: Fields }): void {
    this.#fields ??= fields
  }

  handleCommandComplete(): void {
    // It has run, but nothing is durable before the transaction ends, and that is the Sync's doing.
  }

  handleReadyForQuery(connection: pg.Connection): void {
    const names = prepared.get(connection)
    if (names === undefined) prepared.set(connection, new Set([this.#statement.name]))
    else names.add(this.#statement.name)
    this.#resolve(this.#fields)
  }

  handleError(error: Error): void {
    this.#reject(error)
  }
}

function encode(value: Value): string | null {
  return value === null ? null : String(value)
}
