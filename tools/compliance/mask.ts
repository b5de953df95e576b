// A value that can be shown: the first letter and the kind of each other one. The lengths stay, the content goes.

export function maskValue(value: string): string {
  const [first = '', ...rest] = [...value].slice(0, 60)
  return first + rest.map((letter) => (/[\p{L}\d]/u.test(letter) ? '•' : letter)).join('')
}
