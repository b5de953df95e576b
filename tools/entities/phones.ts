// Telephone numbers. An international prefix or a number that its country's plan allows is evidence enough; digits in
// groups need a word nearby that says what they are.
import { parsePhoneNumberFromString } from 'libphonenumber-js'
import type { Entity } from './entity.ts'

const CANDIDATE =
  /(?<![\p{L}\d.,/@#_+-])(?:\+|00)?\(?\d(?:[\d ()]|[ ]?[-./–][ ]?(?=[\d(])){4,22}\d(?:\s?(?:x|ext\.?|extension)\s?\d{1,6})?(?![\p{L}\d@_]|[.,/-]\d)/gu
const BEFORE =
  /\b(phones?|tel|telephone|telefon|call(?:ed|ing)?|dial|ring|reach(?:ed)?|answer(?:ing|ed)?|contact|mobile|cell(?:ular)?|handy|fax|text|sms|whats\s?app|hotline|number(?:s)?(?: is| at)?|at|us|me|him|her|on)\b[^\d\n]{0,25}$/i
const STRONG_BEFORE =
  /\b(phones?|tel|telephone|telefon|call(?:ed|ing)?|dial|ring|reach(?:ed)?|answer(?:ing|ed)?|mobile|cell(?:ular)?|fax|sms|whats\s?app|hotline)\b[^\d\n]{0,30}$/i
const AFTER = /^[\s,;:()-]{0,4}(office|fax|mobile|cell|home|work|phone|tel|direct)\b/i
const PLANS = ['US', 'GB', 'DE', 'FR'] as const

export function findPhones(text: string): Entity[] {
  const found: Entity[] = []
  for (const match of text.matchAll(CANDIDATE)) {
    const shown = match[0].replace(/[\s(.-]+$/, '')
    const confidence = judge(shown, text, match.index)
    if (confidence === 0) continue
    const value = normalise(shown)
    found.push({
      kind: 'phone',
      text: shown,
      start: match.index,
      end: match.index + shown.length,
      confidence,
      ...(value === undefined ? {} : { value }),
    })
  }
  return found
}

function judge(shown: string, text: string, at: number): number {
  const digits = shown.replace(/(?:x|ext).*$/i, '').replace(/\D/g, '')
  if (digits.length < 6 || digits.length > 15 || !balanced(shown)) return 0
  const before = text.slice(Math.max(0, at - 60), at)
  const named = STRONG_BEFORE.test(before) || AFTER.test(text.slice(at + shown.length, at + shown.length + 16))
  if (/^\s*(\+|00)/.test(shown) && digits.length >= 8) return named ? 0.98 : 0.94
  if (named) return 0.95
  const grouped = /[\s().–-]/.test(shown)
  // Dates and amounts are grouped digits too.
  if (/^\d{4}-\d{1,2}-\d{1,2}$|^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$|^\d{1,3}([. ]\d{3})+$/.test(shown)) {
    return BEFORE.test(before) && /^\d{3} \d{3} \d{3}$/.test(shown) ? 0.7 : 0
  }
  if (/^\(?\d{3}\)?[ .-]{1,3}\d{3}[ .-]\d{4}/.test(shown)) return 0.9
  // "at 62573 103 Cassidy Street" is an address.
  const isAddress = /^[ ,]{1,2}\p{Lu}/u.test(text.slice(at + shown.length, at + shown.length + 4))
  if (grouped && digits.length >= 7 && BEFORE.test(before) && !isAddress) return 0.8
  if (grouped && digits.length >= 9 && PLANS.some((plan) => parsePhoneNumberFromString(shown, plan)?.isValid()))
    return 0.65
  return 0
}

function balanced(text: string): boolean {
  return text.split('(').length === text.split(')').length
}

/** E.164 where the number says its country; national numbers stay as they are. */
function normalise(shown: string): string | undefined {
  // "+46 (0)8": the zero is only dialled at home.
  const international = shown.replace(/^\s*00/, '+').replace('(0)', '')
  if (!international.startsWith('+')) return undefined
  const parsed = parsePhoneNumberFromString(international)
  return parsed?.isPossible() ? parsed.number : undefined
}
