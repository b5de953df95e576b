// Templates into texts. A template is what a document of its kind looks like, with places left open:
//   {person}        a slot, filled from words.ts
//   (this|that|)    one of these; may hold slots and further brackets
//   ?line           this line is there in half of the documents
//   3-6*line        this line comes three to six times, filled anew each time
import type { Random } from '../random.ts'
import { fillSlot, type Language } from './words.ts'

export function expand(template: string, language: Language, random: Random): string {
  const lines: string[] = []
  for (const line of template.trim().split('\n')) {
    const repeated = /^(\d+)-(\d+)\*(.*)$/.exec(line)
    if (repeated !== null) {
      const [least, most] = [Number(repeated[1]), Number(repeated[2])]
      const times = least + random.below(most - least + 1)
      for (let time = 0; time < times; time++) lines.push(expandLine(repeated[3]!, language, random))
    } else if (line.startsWith('?')) {
      if (random.chance(0.5)) lines.push(expandLine(line.slice(1), language, random))
    } else {
      lines.push(expandLine(line, language, random))
    }
  }
  return lines.join('\n')
}

function expandLine(line: string, language: Language, random: Random): string {
  return chooseAlternatives(line, random).replace(/\{([a-z]+)\}/g, (_, slot: string) =>
    fillSlot(slot, language, random),
  )
}

/** Innermost brackets first, so that alternatives may nest. */
function chooseAlternatives(line: string, random: Random): string {
  const innermost = /\(([^()|]*\|[^()]*)\)/
  let text = line
  for (let match = innermost.exec(text); match !== null; match = innermost.exec(text)) {
    const alternatives = match[1]!.split('|')
    text = text.slice(0, match.index) + random.pick(alternatives) + text.slice(match.index + match[0].length)
  }
  return text
}
