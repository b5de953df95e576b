// Finds and masks personal data in text. Patterns find candidates, check digits and numbering plans decide: a false
// alarm here destroys somebody's result.
import { findPhoneNumbersInText } from 'libphonenumber-js/max'

export const PERSONAL_DATA_KINDS = ['email', 'phone', 'iban', 'credit_card', 'us_ssn', 'ip_address'] as const
export type PersonalDataKind = (typeof PERSONAL_DATA_KINDS)[number]

interface Span {
  start: number
  end: number
  kind: PersonalDataKind
}

// Every quantifier is bounded or its neighbours exclude each other: no text makes them slow.
const EMAIL = /[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?![A-Z0-9])/g
const CARD = /\b\d(?:[ -]?\d){12,18}\b/g
const SSN = /\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b/g
const IPV4 = /\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b/g

/** The phone finder's time grows faster than its text: it is given pieces. */
const PHONE_PIECE = 4_096

const FINDERS: Record<PersonalDataKind, (text: string) => Iterable<Span>> = {
  email: (text) => matches(text, EMAIL, 'email'),
  iban: (text) => matches(text, IBAN, 'iban', (found) => hasIbanChecksum(found.replaceAll(' ', ''))),
  credit_card: (text) => matches(text, CARD, 'credit_card', (found) => hasLuhnChecksum(found.replace(/[ -]/g, ''))),
  us_ssn: (text) => matches(text, SSN, 'us_ssn'),
  ip_address: (text) => matches(text, IPV4, 'ip_address'),
  phone: phones,
}

/** `Call me: [phone]`. Spans that overlap are masked once, as the longer kind. */
export function maskPersonalData(text: string, kinds: readonly PersonalDataKind[]): string {
  const spans = kinds.flatMap((kind) => [...FINDERS[kind](text)])
  if (spans.length === 0) return text
  spans.sort((one, other) => one.start - other.start || other.end - one.end)
  let masked = ''
  let done = 0
  for (const span of spans) {
    if (span.start < done) continue
    masked += `${text.slice(done, span.start)}[${span.kind}]`
    done = span.end
  }
  return masked + text.slice(done)
}

function* matches(
  text: string,
  pattern: RegExp,
  kind: PersonalDataKind,
  isReally: (found: string) => boolean = () => true,
): Iterable<Span> {
  for (const match of text.matchAll(pattern)) {
    if (isReally(match[0])) yield { start: match.index, end: match.index + match[0].length, kind }
  }
}

function* phones(text: string): Iterable<Span> {
  if (!/\d[\d\s().-]{5}/.test(text)) return
  for (let at = 0; at < text.length; at += PHONE_PIECE) {
    const found = findPhoneNumbersInText(text.slice(at, at + PHONE_PIECE), 'US')
    for (const { startsAt, endsAt } of found) yield { start: at + startsAt, end: at + endsAt, kind: 'phone' }
  }
}

/** ISO 13616: the number, rotated by four and with letters as numbers, is 1 modulo 97. */
function hasIbanChecksum(iban: string): boolean {
  if (iban.length < 15 || iban.length > 34) return false
  let remainder = 0
  for (const letter of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(letter, 36)
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
  }
  return remainder === 1
}

function hasLuhnChecksum(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0 && !/^(\d)\1+$/.test(digits)
}
