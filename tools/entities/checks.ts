// Check digits tell a number that means something from one that merely looks like it.

/** Luhn's sum: cards, and many customer numbers. */
export function passesLuhn(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    let digit = Number(digits[digits.length - 1 - index])
    if (index % 2 === 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return digits.length > 0 && sum % 10 === 0 && !/^(\d)\1+$/.test(digits)
}

/** The prefixes and lengths that the card schemes issue. */
const CARDS: [prefix: RegExp, lengths: number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^3(0[0-5]|[689])/, [14, 16, 17, 18, 19]],
  [/^(6011|64[4-9]|65)/, [16, 17, 18, 19]],
  [/^35(2[89]|[3-8])/, [16, 17, 18, 19]],
  [/^(2131|1800)/, [15]],
  [/^(5018|502|503|506|5[678]|6\d)/, [12, 13, 14, 15, 16, 17, 18, 19]],
]

export function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  return passesLuhn(digits) && CARDS.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length))
}

/** ISO 13616: the first four characters move to the end, letters become numbers, the whole leaves 1 modulo 97. */
export function isIban(text: string): boolean {
  const compact = text.replace(/[\s-]/g, '').toUpperCase()
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(compact)) return false
  let rest = 0
  for (const letter of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(letter, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}

/** Area 000, 666 and 900–999, group 00 and serial 0000 are never issued. */
export function isSsn(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  return digits.length === 9 && /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits)
}

export function isIpv4(text: string): boolean {
  return text.split('.').every((part) => Number(part) <= 255 && (part === '0' || !part.startsWith('0')))
}
