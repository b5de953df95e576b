// Which of a Word file's styles are headings, and which numberings are bullets.
import { attribute, parseXml } from './xml.ts'

export interface WordStyles {
  /** 0 for “heading 1” and “Title”; undefined for everything that is no heading. */
  headingLevel(style: string | undefined): number | undefined
  list(numbering: string | undefined, style: string | undefined, depth: number): { ordered: boolean } | undefined
}

interface Style {
  name: string
  basedOn: string | undefined
  outline: number | undefined
  numbering: string | undefined
}

export function readStyles(stylesSource: string | undefined, numberingSource: string | undefined): WordStyles {
  const styles = stylesSource === undefined ? new Map<string, Style>() : parseStyles(stylesSource)
  const bullets = numberingSource === undefined ? new Map<string, boolean[]>() : parseNumbering(numberingSource)

  /** The first answer on the way up the chain of base styles; a chain that loops ends. */
  function inherit<T>(style: string | undefined, pick: (style: Style) => T | undefined): T | undefined {
    const seen = new Set<string>()
    for (let id = style; id !== undefined && !seen.has(id); ) {
      seen.add(id)
      const found = styles.get(id)
      if (found === undefined) return undefined
      const picked = pick(found)
      if (picked !== undefined) return picked
      id = found.basedOn
    }
    return undefined
  }

  return {
    headingLevel(style) {
      return inherit(style, ({ name, outline }) => {
        const heading = /^heading (\d)$/i.exec(name)
        if (heading !== null) return Number(heading[1]) - 1
        if (/^title$/i.test(name)) return 0
        return outline !== undefined && outline < 9 ? outline : undefined
      })
    },
    list(numbering, style, depth) {
      const id = numbering ?? inherit(style, (one) => one.numbering)
      if (id === '0') return undefined
      if (id !== undefined) return { ordered: bullets.get(id)?.[depth] !== true }
      const name = inherit(style, (one) => (/^list (bullet|number)/i.test(one.name) ? one.name : undefined))
      return name === undefined ? undefined : { ordered: /number/i.test(name) }
    },
  }
}

function parseStyles(source: string): Map<string, Style> {
  const styles = new Map<string, Style>()
  let style: Style | undefined
  parseXml(source, {
    open(name, attributes) {
      const value = attribute(attributes, 'val')
      if (name === 'style') {
        style = { name: '', basedOn: undefined, outline: undefined, numbering: undefined }
        styles.set(attribute(attributes, 'styleId') ?? '', style)
      } else if (style === undefined) return
      else if (name === 'name') style.name = value ?? ''
      else if (name === 'basedOn') style.basedOn = value
      else if (name === 'outlineLvl') style.outline = Number(value)
      else if (name === 'numId') style.numbering = value
    },
    close(name) {
      if (name === 'style') style = undefined
    },
  })
  return styles
}

/** Numbering id → for each depth, whether it is a bullet. */
function parseNumbering(source: string): Map<string, boolean[]> {
  const abstracts = new Map<string, boolean[]>()
  const numberings = new Map<string, boolean[]>()
  let levels: boolean[] | undefined
  let depth = 0
  let number: string | undefined
  parseXml(source, {
    open(name, attributes) {
      if (name === 'abstractNum') {
        levels = []
        abstracts.set(attribute(attributes, 'abstractNumId') ?? '', levels)
      } else if (name === 'lvl') depth = Number(attribute(attributes, 'ilvl')) || 0
      else if (name === 'numFmt' && levels !== undefined && depth < 16) {
        levels[depth] = attribute(attributes, 'val') === 'bullet'
      } else if (name === 'num') number = attribute(attributes, 'numId')
      else if (name === 'abstractNumId' && number !== undefined) {
        numberings.set(number, abstracts.get(attribute(attributes, 'val') ?? '') ?? [])
      }
    },
    close(name) {
      if (name === 'abstractNum') levels = undefined
      if (name === 'num') number = undefined
    },
  })
  return numberings
}
