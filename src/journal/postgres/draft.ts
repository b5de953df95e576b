// A statement that is put together of what it needs. Its text is written once for all drafts that are made of the same
// pieces in the same order, and found again by walking from piece to piece: to write the text each time, or only to compare
// it, costs more than all else that is done for a statement on this side of the socket.
import type { Statement, Value } from './statement.ts'

/** A column and what it gets, or a condition. `?` is a value of its own. */
export interface Piece {
  part: 'column' | 'condition' | 'log'
  name: string
  expression: string
}

export interface Pieces {
  /** Of the task's row. */
  columns: Piece[]
  conditions: Piece[]
  /** Columns of a row of the log. */
  log: Piece[]
}

type Write = (pieces: Pieces) => string

/** What drafts have in common up to a piece. */
class Shape {
  readonly #next: Shape[] = []
  readonly #before: Shape | undefined
  readonly #piece: Piece | undefined
  #statement: Pick<Statement, 'name' | 'text'> | undefined
  static #written = 0

  constructor(before?: Shape, piece?: Piece) {
    this.#before = before
    this.#piece = piece
  }

  /** From each piece few ways go on, most often one: to look at each is faster than to look one up. */
  next(part: Piece['part'], name: string, expression: string): Shape {
    for (const next of this.#next) {
      const piece = next.#piece!
      if (piece.name === name && piece.expression === expression) return next
    }
    const next = new Shape(this, { part, name, expression })
    this.#next.push(next)
    return next
  }

  statement(write: Write): Pick<Statement, 'name' | 'text'> {
    if (this.#statement === undefined) {
      const pieces = this.#pieces()
      const of = (part: Piece['part']) => pieces.filter((piece) => piece.part === part)
      const text = write({ columns: of('column'), conditions: of('condition'), log: of('log') })
      let place = 0
      this.#statement = { name: `lone-${++Shape.#written}`, text: text.replaceAll('?', () => `$${++place}`) }
    }
    return this.#statement
  }

  #pieces(): Piece[] {
    if (this.#before === undefined || this.#piece === undefined) return []
    return [...this.#before.#pieces(), this.#piece]
  }
}

/** Statements of one kind. A text names columns, conditions and log in the order in which drafts are given them. */
export class Kind {
  readonly root = new Shape()
  readonly write: Write

  constructor(write: Write) {
    this.write = write
  }
}

/** As Postgres reads them. */
const LITERALS = new Map<string | number, string>()

export class Draft {
  readonly #kind: Kind
  readonly #values: Value[] = []
  #shape: Shape

  constructor(kind: Kind) {
    this.#kind = kind
    this.#shape = kind.root
  }

  column(name: string, expression: string, value?: Value): void {
    this.#add('column', name, expression, value)
  }

  condition(expression: string, value?: Value): void {
    this.#add('condition', '', expression, value)
  }

  log(name: string, expression: string, value?: Value): void {
    this.#add('log', name, expression, value)
  }

  /** A column whose values are few: written into the text, because each bound value costs about a microsecond. */
  word(name: string, value: string | number): void {
    let literal = LITERALS.get(value)
    if (literal === undefined) {
      literal = typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`
      LITERALS.set(value, literal)
    }
    this.#add('column', name, literal, undefined)
  }

  /** A column, if there is something for it. */
  text(name: string, value: string | undefined): void {
    if (value !== undefined) this.#add('column', name, '?::text', value)
  }

  statement(): Statement {
    const { name, text } = this.#shape.statement(this.#kind.write)
    return { name, text, values: this.#values }
  }

  #add(part: Piece['part'], name: string, expression: string, value: Value | undefined): void {
    this.#shape = this.#shape.next(part, name, expression)
    if (value !== undefined) this.#values.push(value)
  }
}

export function names(pieces: Piece[]): string {
  return pieces.map(({ name }) => name).join(', ')
}

export function expressions(pieces: Piece[]): string {
  return pieces.map(({ expression }) => expression).join(', ')
}

export function assignments(pieces: Piece[]): string {
  return pieces.map(({ name, expression }) => `${name} = ${expression}`).join(', ')
}

export function all(conditions: Piece[]): string {
  return conditions.map(({ expression }) => expression).join(' AND ')
}
