// Least squares over a handful of columns, by the normal equations: small, and exact enough for centred columns.

export interface Fit {
  coefficients: number[]
  fitted: number[]
  /** Sum of squared residuals. */
  rss: number
}

export function fitLeastSquares(columns: readonly (readonly number[])[], y: readonly number[]): Fit {
  const size = columns.length
  const normal = columns.map((left) => columns.map((right) => dot(left, right)))
  const right = columns.map((column) => dot(column, y))
  const coefficients = solve(normal, right)
  const fitted = y.map((_, row) => {
    let sum = 0
    for (let index = 0; index < size; index++) sum += coefficients[index]! * columns[index]![row]!
    return sum
  })
  let rss = 0
  for (let row = 0; row < y.length; row++) rss += (y[row]! - fitted[row]!) ** 2
  return { coefficients, fitted, rss }
}

/** Gaussian elimination with pivoting; a column that adds nothing gets the coefficient 0. */
export function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length
  const rows = matrix.map((row, index) => [...row, right[index]!])
  const largest = Math.max(...matrix.flat().map(Math.abs), 1e-300)
  for (let column = 0; column < size; column++) {
    let pivot = column
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row
    }
    ;[rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!]
    const head = rows[column]!
    if (Math.abs(head[column]!) < largest * 1e-12) continue
    for (let row = 0; row < size; row++) {
      if (row === column) continue
      const factor = rows[row]![column]! / head[column]!
      if (factor !== 0) for (let index = column; index <= size; index++) rows[row]![index]! -= factor * head[index]!
    }
  }
  return rows.map((row, index) => (Math.abs(row[index]!) < largest * 1e-12 ? 0 : row[size]! / row[index]!))
}

function dot(left: readonly number[], right: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < left.length; index++) sum += left[index]! * right[index]!
  return sum
}
