// Writes sales.csv: two years of a made-up company's monthly sales, always the same. What is planted in it, the agents
// should find: `Kettles` grow, `Teapots` sell before Christmas, one month of `North` is far off, and five rows are bad.
//   node examples/samples/make-sales.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { seededRandom } from '../../src/training/random.ts'

const REGIONS = ['North', 'South', 'East', 'West']
const PRODUCTS = [
  { name: 'Kettles', price: 39, units: 120, growth: 0.035, christmas: 1 },
  { name: 'Teapots', price: 24, units: 90, growth: 0, christmas: 2.2 },
  { name: 'Cups', price: 6, units: 400, growth: 0.002, christmas: 1.1 },
  { name: 'Trays', price: 18, units: 60, growth: -0.01, christmas: 1 },
]

const random = seededRandom(7).next

const rows: (string | number)[][] = []
for (let month = 0; month < 24; month++) {
  const date = `${2023 + Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}-01`
  for (const [place, region] of REGIONS.entries()) {
    for (const { name, price, units, growth, christmas } of PRODUCTS) {
      const season = month % 12 >= 10 ? christmas : 1
      const outage = region === 'North' && date === '2024-05-01' ? 0.15 : 1
      const sold = Math.round(
        units * (1 - 0.12 * place) * (1 + growth) ** month * season * outage * (0.94 + random() * 0.12),
      )
      rows.push([`S-${String(rows.length + 1).padStart(4, '0')}`, date, region, name, sold, (sold * price).toFixed(2)])
    }
  }
}
rows[40]![5] = ''
rows[121]![2] = ''
rows[200]![4] = -12
rows[260]![1] = '2024-02-31'
rows[300]![0] = rows[299]![0]!

const lines = [['order', 'month', 'region', 'product', 'units', 'revenue'], ...rows].map((row) => row.join(','))
writeFileSync(join(import.meta.dirname, 'sales.csv'), `${lines.join('\n')}\n`)
