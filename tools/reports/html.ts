// One file, nothing loaded from elsewhere. Text is escaped; charts stand as images, in which scripts never run.
import { cellText, type ReportContent } from './content.ts'

const STYLE = `body{font:16px/1.55 system-ui,sans-serif;max-width:56rem;margin:2.5rem auto;padding:0 1.25rem;color:#1f2937}
h1{font-size:1.9rem;margin-bottom:.2rem}h2{margin-top:2.4rem;border-bottom:1px solid #e5e7eb;padding-bottom:.3rem}
.subtitle{color:#6b7280;margin-top:0}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #e5e7eb}td.number{text-align:right;font-variant-numeric:tabular-nums}
img{max-width:100%;height:auto}details{margin:.6rem 0;color:#4b5563}pre{background:#f3f4f6;padding:.6rem;overflow:auto;font-size:.82rem;white-space:pre-wrap}`

export function toHtml({ title, subtitle, sections }: ReportContent): string {
  const body = sections.map((section) => {
    const parts = [`<h2>${escapeHtml(section.heading)}</h2>`]
    parts.push(...section.paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`))
    if (section.chart !== undefined) {
      const source = `data:image/svg+xml;base64,${Buffer.from(section.chart.svg).toString('base64')}`
      parts.push(`<figure><img alt="${escapeHtml(section.chart.title || section.heading)}" src="${source}"></figure>`)
    }
    if (section.bullets.length > 0)
      parts.push(`<ul>${section.bullets.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>`)
    if (section.table !== undefined) parts.push(tableHtml(section.table))
    if (section.sources.length > 0) {
      const list = section.sources.map(
        ({ figure, value, sql }) => `<p>${escapeHtml(figure)} = ${escapeHtml(value)}</p><pre>${escapeHtml(sql)}</pre>`,
      )
      parts.push(`<details><summary>Where these figures come from</summary>${list.join('')}</details>`)
    }
    return `<section>${parts.join('\n')}</section>`
  })
  const under = subtitle === '' ? '' : `<p class="subtitle">${escapeHtml(subtitle)}</p>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>${under}
${body.join('\n')}
</body></html>
`
}

function tableHtml({ columns, rows }: NonNullable<ReportContent['sections'][number]['table']>): string {
  const head = columns.map((name) => `<th>${escapeHtml(name)}</th>`).join('')
  const body = rows.map(
    (row) =>
      `<tr>${row.map((cell) => `<td${typeof cell === 'number' ? ' class="number"' : ''}>${escapeHtml(cellText(cell))}</td>`).join('')}</tr>`,
  )
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => ENTITIES[letter]!)
}
