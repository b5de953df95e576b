// Amounts as people write them, as numbers: 1,234.56 and 1.234,56 and 1 234,56 and 2.5 million.
const CURRENCIES: Record<string, string> = {
  $: 'USD', us$: 'USD', '€': 'EUR', '£': 'GBP', '¥': 'JPY', '₹': 'INR', '₽': 'RUB', '₩': 'KRW', '₺': 'TRY', '₪': 'ILS', '฿': 'THB', c$: 'CAD', a$: 'AUD', r$: 'BRL',
  dollar: 'USD', dollars: 'USD', euro: 'EUR', euros: 'EUR', pound: 'GBP', pounds: 'GBP', yen: 'JPY', rupees: 'INR', francs: 'CHF',
} // biome-ignore format: a table

export const CURRENCY_CODES =
  'USD|EUR|GBP|JPY|CHF|CAD|AUD|NZD|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|BRL|MXN|ZAR|SGD|HKD|KRW|ILS|AED|SAR|THB'

const SCALES: Record<string, number> = {
  k: 1e3, thousand: 1e3, m: 1e6, mn: 1e6, mio: 1e6, million: 1e6, millions: 1e6, bn: 1e9, b: 1e9, billion: 1e9, billions: 1e9, trillion: 1e12,
} // biome-ignore format: a table

export function parseAmount(text: string): number | undefined {
  let digits = text.replace(/[\s\u00a0\u202f'’]/g, '')
  const comma = digits.lastIndexOf(',')
  const point = digits.lastIndexOf('.')
  if (comma >= 0 && point >= 0) {
    const decimal = comma > point ? ',' : '.'
    digits = digits.replaceAll(decimal === ',' ? '.' : ',', '').replace(decimal, '.')
  } else if (comma >= 0) {
    // One comma before exactly three digits separates thousands; otherwise it is a decimal comma.
    digits = /^\d{1,3}(,\d{3})+$/.test(digits) ? digits.replaceAll(',', '') : digits.replace(',', '.')
  } else if (/^\d{1,3}(\.\d{3}){2,}$/.test(digits)) digits = digits.replaceAll('.', '')
  const number = Number(digits)
  return digits !== '' && Number.isFinite(number) ? number : undefined
}

/** "€ 2.5 million" → "EUR 2500000". */
export function moneyValue(currency: string, amount: string, scale: string | undefined): string | undefined {
  const number = parseAmount(amount)
  if (number === undefined) return undefined
  const code = CURRENCIES[currency.toLowerCase()] ?? currency.toUpperCase()
  return `${code} ${round(number * (SCALES[scale?.toLowerCase() ?? ''] ?? 1))}`
}

export function quantityValue(amount: string, unit: string): string | undefined {
  const number = parseAmount(amount)
  return number === undefined ? undefined : `${round(number)} ${unit}`
}

function round(number: number): number {
  return Number(number.toPrecision(12))
}
