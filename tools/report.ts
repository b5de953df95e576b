// report: the same content as HTML, Markdown and PDF.
import { defineTool } from '@troupe/sdk'
import { z } from 'zod'
import { reportContent, toHtml, toMarkdown, toPdf } from './reports/index.ts'

export const report = defineTool({
  name: 'report',
  description:
    'Writes a report (sections with text, lists, tables, charts and the SQL of figures) as HTML, Markdown and PDF (base64)',
  input: z.object({
    content: reportContent,
    formats: z
      .array(z.enum(['html', 'markdown', 'pdf']))
      .min(1)
      .default(['html', 'markdown']),
  }),
  output: z.object({ html: z.string().optional(), markdown: z.string().optional(), pdf: z.string().optional() }),
  async run({ content, formats }, { signal }) {
    return {
      ...(formats.includes('html') ? { html: toHtml(content) } : {}),
      ...(formats.includes('markdown') ? { markdown: toMarkdown(content) } : {}),
      ...(formats.includes('pdf') ? { pdf: Buffer.from(await toPdf(content, signal)).toString('base64') } : {}),
    }
  },
})
