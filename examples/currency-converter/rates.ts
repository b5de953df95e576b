/** Units of each currency for one euro. Illustrative values, not a market quotation: pass `rates` for real ones. */
export const exampleRates = {
  date: '2025-01-02',
  perEuro: { EUR: 1, USD: 1.03, GBP: 0.83, CHF: 0.94 } as Record<string, number>,
}
