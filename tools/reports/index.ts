// Reports: one content, three forms.
//   content.ts    what a report is made of
//   html.ts       one file, nothing loaded from elsewhere, everything escaped
//   markdown.ts   for places where people edit on
//   pdf.ts        for places where people sign and send
export { type ReportContent, reportContent } from './content.ts'
export { toHtml } from './html.ts'
export { toMarkdown } from './markdown.ts'
export { toPdf } from './pdf.ts'
