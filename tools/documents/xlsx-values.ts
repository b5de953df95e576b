// What stands behind a cell's number: shared strings, and styles that make a number a date.
import { parseXml } from './xml.ts'

export function readSharedStrings(source: string | undefined): string[] {
  const strings: string[] = []
  if (source === undefined) return strings
  let text = ''
  let inText = false
  let phonetic = false
  parseXml(source, {
    open(name) {
      if (name === 'si') text = ''
      else if (name === 't') inText = true
      // The reading of Japanese names, beside the name itself.
      else if (name === 'rPh') phonetic = true
    },
    text(piece) {
      if (inText && !phonetic) text += piece
    },
    close(name) {
      if (name === 'si') strings.push(text)
      else if (name === 't') inText = false
      else if (name === 'rPh') phonetic = false
    },
  })
  return strings
}

export function readDateStyles(source: string | undefined): boolean[] {
  const dates: boolean[] = []
  if (source === undefined) return dates
  const codes = new Map<number, string>()
  let inCells = false
  parseXml(source, {
    open(name, attributes) {
      if (name === 'numFmt') codes.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '')
      else if (name === 'cellXfs') inCells = true
      else if (name === 'xf' && inCells) dates.push(isDateFormat(Number(attributes['numFmtId'] ?? 0), codes))
    },
    close(name) {
      if (name === 'cellXfs') inCells = false
    },
  })
  return dates
}

function isDateFormat(id: number, codes: Map<number, string>): boolean {
  const code = codes.get(id)
  if (code === undefined)
    return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 58 && id !== 48 && id !== 49)
  // Quoted words, escaped letters and [colours] may contain d, m, y, h and s without meaning them.
  return /[dmyhs]/i.test(code.replace(/"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general/gi, ''))
}

const DAY = 86_400_000

/** Excel counts days from 1900 (and believes that 1900-02-29 existed) or from 1904. */
export function serialDate(serial: number, base1904: boolean): string | number {
  const days = base1904 ? serial + 1_462 : serial < 60 ? serial + 1 : serial
  const time = Math.round((days - 25_569) * DAY)
  // Outside of what Excel can show it is a number after all.
  if (serial < 0 || days > 2_958_466) return serial
  const iso = new Date(time).toISOString()
  if (serial < 1) return iso.slice(11, 19)
  return time % DAY === 0 ? iso.slice(0, 10) : iso.slice(0, 19)
}
