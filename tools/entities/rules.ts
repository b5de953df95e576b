// Everything that has a form is one row: how it looks, what must hold, what stands near it, how it is normalised.
// Patterns are linear (no nested repetition), because the text may come from anyone.
import { isCardNumber, isIban, isIpv4, isSsn } from './checks.ts'
import type { EntityKind } from './entity.ts'
import { CURRENCY_CODES, moneyValue, quantityValue } from './money.ts'

export interface Rule {
  kind: EntityKind
  /** A text without this has no match: cheaper to ask than the pattern. */
  hint?: string
  /** Must be global. The group `it`, where there is one, is the entity; else the whole match is. */
  pattern: RegExp
  confidence: number
  /** Does the content hold? false drops the match. */
  check?: (shown: string) => boolean
  /** The next word may look like one more group of the number: groups are dropped from the end until `check` holds. */
  grouped?: true
  /** Words of which one must stand within 60 characters before. */
  near?: RegExp
  value?: (match: RegExpExecArray, shown: string) => string | undefined
  scheme?: string
}

const compact = (_: RegExpExecArray, shown: string) => shown.replace(/[\s-]/g, '').toUpperCase()
export const it = (match: RegExpExecArray) => match.groups?.['it'] ?? match[0]

const AMOUNT = String.raw`\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3}){1,6}(?:[.,]\d{1,4})?|\d{1,15}(?:[.,]\d{1,4})?`
const SCALE = String.raw`(?:\s?(?<scale>k|thousand|million|mn|mio|bn|billion|trillion|m|b)\b)?`
const SIGN = String.raw`(?:US|C|A|R)?\$|[€£¥₹₽₩₺₪฿]`
const UNITS =
  'kg|g|mg|µg|t|tons?|tonnes?|lbs?|oz|pounds?|km²|m²|m2|km|cm|mm|m|mi|miles?|ft|feet|inch(?:es)?|ha|acres?|sq\\.? ?ft|l|ml|litres?|liters?|gallons?|' +
  'kWh|MWh|GWh|kW|MW|GW|W|V|A|Hz|kHz|MHz|GHz|°C|°F|K|bar|Pa|kPa|bytes?|KB|MB|GB|TB|PB|ms|seconds?|minutes?|hours?|days?|weeks?|months?|years?|' +
  'pieces?|pcs|units?|people|employees|percent|per cent|pages?|users?'

export const RULES: readonly Rule[] = [
  {
    kind: 'email',
    hint: '@',
    pattern:
      /(?<![\w.+-])[\p{L}\d][\p{L}\d._%+'-]{0,63}@(?:[\p{L}\d](?:[\p{L}\d-]{0,62})\.){1,8}\p{L}{2,24}(?![\p{L}\d@])/gu,
    confidence: 0.99,
    value: (match) => match[0].toLowerCase(),
  },
  {
    kind: 'url',
    hint: '://',
    pattern: /\b(?:https?|ftp):\/\/[^\s<>"'`{}|\\^]{2,2000}[^\s<>"'`{}|\\^.,;:!?)\]]/gi,
    confidence: 0.99,
  },
  {
    kind: 'url',
    hint: 'www.',
    pattern: /(?<![@\w./-])(?:www\.)(?:[a-z\d-]{1,63}\.){1,6}[a-z]{2,24}(?:\/[^\s<>"']{0,500}[^\s<>"'.,;:!?)\]])?/gi,
    confidence: 0.95,
  },
  {
    kind: 'url',
    pattern:
      /(?<![@\w./-])(?:[a-z\d][a-z\d-]{0,62}\.){1,4}(?:com|org|net|edu|gov|io|dev|info|eu|co\.uk)(?![\w@.-]*[\w@])(?:\/[^\s<>"']{0,500}[^\s<>"'.,;:!?)\]])?/gi,
    confidence: 0.85,
  },
  {
    kind: 'iban',
    pattern: /(?<![\p{L}\d])[a-z]{2}\d{2}(?:[ -]?[a-z\d]{4}){2,7}(?:[ -]?[a-z\d]{1,4})?(?![\p{L}\d])/giu,
    check: isIban,
    grouped: true,
    confidence: 0.99,
    value: compact,
  },
  {
    kind: 'iban',
    pattern: /(?<![\p{L}\d])[A-Z]{2}\d{2}(?:[ -]?[A-Z\d]{4}){2,7}(?:[ -]?[A-Z\d]{1,4})?(?![\p{L}\d])/gu,
    near: /\biban\b|bank account|account number/i,
    confidence: 0.75,
    value: compact,
  },
  {
    kind: 'card',
    pattern: /(?<![\p{L}\d.,-])\d(?:[ -]?\d){11,18}(?![\p{L}\d-]|[.,]\d)/gu,
    check: isCardNumber,
    grouped: true,
    confidence: 0.97,
    value: compact,
  },
  {
    kind: 'card',
    pattern: /(?<![\p{L}\d.,-])\d(?:[ -]?\d){11,18}(?![\p{L}\d-]|[.,]\d)/gu,
    near: /\b(credit|debit|bank|visa|master|amex|payment)?\s?-?cards?\b|\bvisa\b|mastercard|amex/i,
    confidence: 0.7,
    value: compact,
  },
  {
    kind: 'ssn',
    pattern: /(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])/g,
    check: isSsn,
    confidence: 0.95,
  },
  {
    kind: 'ssn',
    pattern: /(?<![\d-])\d{3}[ .-]?\d{2}[ .-]?\d{4}(?![\d-])/g,
    near: /\bssns?\b|social\s?security|\bss\s?(no|number|#)/i,
    confidence: 0.96,
  },
  {
    kind: 'ip',
    pattern: /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?(?!\.?\d)/g,
    check: (shown) => isIpv4(shown.split('/')[0]!),
    confidence: 0.95,
  },
  {
    kind: 'ip',
    hint: ':',
    pattern: /(?<![\da-f:.])(?:[\da-f]{1,4}:){7}[\da-f]{1,4}(?![\da-f:])/gi,
    confidence: 0.97,
  },
  {
    kind: 'ip',
    hint: '::',
    pattern:
      /(?<![\da-f:.])(?:[\da-f]{1,4}:){1,6}(?::[\da-f]{1,4}){1,6}(?:%\w{1,16})?(?![\da-f:])|(?<![\da-f:])(?:[\da-f]{1,4}:){2,7}:(?![\da-f:])|(?<![\da-f:])::(?:ffff:(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})(?![\da-f:])/gi,
    check: (shown) => /\d/.test(shown) && shown.length > 4,
    confidence: 0.9,
  },
  {
    kind: 'money',
    pattern: new RegExp(
      `(?<![\\w.])(?<currency>${SIGN}|(?:${CURRENCY_CODES})\\b)\\s?(?<amount>${AMOUNT})${SCALE}(?!\\w)`,
      'gu',
    ),
    confidence: 0.95,
    value: ({ groups }) => moneyValue(groups!['currency']!, groups!['amount']!, groups!['scale']),
  },
  {
    kind: 'money',
    pattern: new RegExp(
      `(?<![\\w.,])(?<amount>${AMOUNT})${SCALE}\\s?(?<currency>[€£¥₹₽₩₺₪฿$]|(?:${CURRENCY_CODES}|dollars?|euros?|pounds sterling|yen|rupees|francs)\\b)`,
      'gu',
    ),
    confidence: 0.93,
    value: ({ groups }) => moneyValue(groups!['currency']!, groups!['amount']!, groups!['scale']),
  },
  {
    kind: 'quantity',
    pattern: new RegExp(`(?<![\\w.,€$£-])(?<amount>${AMOUNT})\\s?(?<unit>%|‰)`, 'gu'),
    confidence: 0.95,
    value: ({ groups }) => quantityValue(groups!['amount']!, groups!['unit']!),
  },
  {
    kind: 'quantity',
    pattern: new RegExp(`(?<![\\w.,€$£-])(?<amount>${AMOUNT})[ \\u00a0-]?(?<unit>${UNITS})(?![\\p{L}\\d²])`, 'gu'),
    confidence: 0.85,
    value: ({ groups }) => quantityValue(groups!['amount']!, groups!['unit']!),
  },
  {
    kind: 'id',
    scheme: 'vat',
    pattern:
      /\bVAT(?: (?:id|no|nr|number|reg)\.?){0,2}[:#]? {0,2}(?<it>[A-Z]{2} ?\d{3} \d{4} \d{2}(?: \d{3})?)(?!\d)/gi,
    // Above a phone number of the same digits.
    confidence: 0.96,
    value: compact,
  },
  ...ids({
    licence: /driv(?:er|ing)['’]?s?\s+licen[cs]e/,
    passport: /passport/,
    invoice: /invoice|inv\.|rechnung|facture|factura/,
    order: /(?:purchase )?order|p\.?o\.?|bestell(?:ung|nummer)/,
    contract: /contract|agreement|policy|vertrag/,
    case: /case|ticket|claim|file|reference|ref\.?|docket/,
    customer: /customer|client|member(?:ship)?|patient|employee|student|kunden/,
    account: /account|acct\.?|a\/c|konto/,
    tracking: /tracking|shipment|consignment/,
    vat: /vat|tax|ust-?id|ein|tin|gst|steuer/,
    registration: /registration|company|hrb|licen[cs]e/,
    serial: /serial|model|part|sku|article|item/,
  }),
  {
    kind: 'id',
    scheme: 'vat',
    pattern:
      /(?<![\p{L}\d])(?:ATU\d{8}|BE[01]\d{9}|DE\d{9}|DK\d{8}|ES[A-Z\d]\d{7}[A-Z\d]|FI\d{8}|FR[A-Z\d]{2}\d{9}|GB\d{9}|IE\d[A-Z\d]\d{5}[A-Z]{1,2}|IT\d{11}|LU\d{8}|NL\d{9}B\d{2}|PL\d{10}|PT\d{9}|SE\d{12})(?![\p{L}\d])/gu,
    confidence: 0.85,
  },
  {
    kind: 'id',
    scheme: 'uuid',
    pattern: /\b[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}\b/gi,
    confidence: 0.99,
  },
  { kind: 'id', scheme: 'doi', pattern: /\b10\.\d{4,9}\/[^\s"<>]{1,200}[^\s"<>.,;)]/g, confidence: 0.97 },
  {
    kind: 'id',
    scheme: 'isbn',
    pattern: /\bISBN(?:-1[03])?:?\s?(?<it>97[89](?:[- ]?\d){10}|\d(?:[- ]?\d){8}[- ]?[\dX])\b/g,
    confidence: 0.97,
    value: compact,
  },
  { kind: 'id', scheme: 'isin', pattern: /\bISIN:?\s{1,3}(?<it>[A-Z]{2}[A-Z\d]{9}\d)\b/g, confidence: 0.95 },
  {
    kind: 'id',
    scheme: 'bic',
    pattern: /\b(?:BIC|SWIFT)(?:[ -]?code)?[:\s]{1,3}(?<it>[A-Z]{4}[A-Z]{2}[A-Z\d]{2}(?:[A-Z\d]{3})?)\b/g,
    confidence: 0.95,
  },
]

/** "Invoice no. 2024-0815": a word for the thing, maybe "number", then something with a digit in it. */
function ids(schemes: Record<string, RegExp>): Rule[] {
  return Object.entries(schemes).map(([scheme, word]) => ({
    kind: 'id' as const,
    scheme,
    pattern: new RegExp(
      `(?<![\\p{L}\\d])(?:${word.source})\\s{0,2}(?:(?:id|no|nr|num|number|nummer|code|key)\\b\\.?|#|№)?\\s{0,2}(?:is|:|#|=)?\\s{0,3}(?<it>(?=[\\p{L}/.-]{0,8}\\d)[\\p{L}\\d](?:[\\p{L}\\d]|[-/._](?=[\\p{L}\\d])){3,30})(?![\\p{L}\\d]|[.,]\\d)`,
      'giu',
    ),
    // A year or an amount is no number of anything.
    check: (found) =>
      !/^(19|20)\d\d$/.test(found) && (found.match(/\d/g)?.length ?? 0) >= 3 && !/^\d+\.\d+$/.test(found),
    confidence: 0.8,
  }))
}
