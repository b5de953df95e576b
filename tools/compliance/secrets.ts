// What must never stand in data: keys, tokens and passwords, told by the form their makers gave them.
//   secrets.ts   this file
//   mask.ts      a value that can be shown

export const SECRET_KINDS = ['private_key', 'cloud_key', 'access_token', 'password'] as const

const FORMS: [(typeof SECRET_KINDS)[number], RegExp][] = [
  ['private_key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/g],
  ['cloud_key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}\b/g],
  [
    'access_token',
    /\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bxox[abprs]-[\w-]{10,}\b|\bsk-[A-Za-z0-9_-]{20,}\b|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}\b/g,
  ],
  ['password', /\b(?:password|passwd|pwd|secret|api[_-]?key)\b\s{0,3}[:=]\s{0,3}["']?[^\s"',;]{6,200}/gi],
]

export function findSecrets(text: string): { kind: (typeof SECRET_KINDS)[number]; start: number; text: string }[] {
  return FORMS.flatMap(([kind, form]) =>
    [...text.matchAll(form)].map((match) => ({ kind, start: match.index, text: match[0] })),
  )
}
