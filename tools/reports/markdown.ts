// Markdown that renders the same everywhere: headings, lists, pipe tables, fenced SQL. Charts stay out: Markdown has no
// place for them that every reader shows.
import { cellText, type ReportContent } from './content.ts'

export function toMarkdown({ title, subtitle, sections }: ReportContent): string {
  const lines = [`# ${plain(title)}`, '']
  if (subtitle !== '') lines.push(plain(subtitle), '')
  for (const section of sections) {
    lines.push(`## ${plain(section.heading)}`, '')
    for (const paragraph of section.paragraphs) lines.push(plain(paragraph), '')
    if (section.bullets.length > 0) lines.push(...section.bullets.map((text) => `- ${plain(text)}`), '')
    if (section.table !== undefined) {
      const { columns, rows } = section.table
      const line = (cells: string[]) => `| ${cells.map((cell) => plain(cell).replaceAll('|', '\\|')).join(' | ')} |`
      lines.push(line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(row.map(cellText))), '')
    }
    for (const { figure, value, sql } of section.sources) {
      lines.push(`${plain(figure)} = ${plain(value)}`, '', '```sql', sql.replaceAll('```', "'''"), '```', '')
    }
  }
  return `${lines.join('\n').trimEnd()}\n`
}

/** Text from data must not become markup: no line breaks, no HTML, no links, no emphasis. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]<>]/g, (letter) => `\\${letter}`)
    .trim()
}
