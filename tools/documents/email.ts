// E-mail (RFC 5322, MIME) by postal-mime: the head as a reader sees it, the body, and the text of its attachments.
import { TroupeError } from '@troupe/sdk'
import PostalMime, { type Address, type Email } from 'postal-mime'
import type { ExtractedDocument, Scan } from './document.ts'
import { writeHtml } from './html.ts'
import type { IncludeFile } from './nested.ts'
import { createWriter } from './writer.ts'

export async function readEmail(
  bytes: Uint8Array,
  include: IncludeFile,
): Promise<{ document: ExtractedDocument; scans: Scan[] }> {
  const writer = createWriter()
  let email: Email
  try {
    email = await PostalMime.parse(bytes, { attachmentEncoding: 'arraybuffer', maxNestingDepth: 32 })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TroupeError('document_unreadable', `The e-mail could not be read: ${reason}`, { cause: error })
  }
  const head = {
    from: people(email.from),
    to: people(email.to),
    cc: people(email.cc),
    date: email.date,
    subject: email.subject,
    messageId: email.messageId,
    inReplyTo: email.inReplyTo,
  }
  for (const [key, value] of Object.entries(head)) writer.meta(key, value)
  writer.meta('title', email.subject)
  writer.meta('author', head.from)
  for (const [label, value] of [
    ['From', head.from],
    ['To', head.to],
    ['Cc', head.cc],
    ['Date', head.date],
  ] as const) {
    if (value) writer.paragraph(`${label}: ${value}`)
  }
  if (email.subject) writer.heading(1, email.subject)
  // The HTML part has the structure; postal-mime fills `text` from it when there is no plain part.
  if (email.html) writeHtml(email.html, writer)
  else for (const line of (email.text ?? '').split(/\r?\n/)) writer.raw(`${line}\n`)

  for (const part of email.attachments) {
    const content =
      typeof part.content === 'string' ? new TextEncoder().encode(part.content) : new Uint8Array(part.content)
    const file = { name: part.filename ?? undefined, mime: part.mimeType, size: content.length, open: () => content }
    // A logo in a signature is not worth two seconds of OCR.
    const isDecoration = part.related === true && part.mimeType.startsWith('image/')
    await include(file, writer, { skip: isDecoration })
  }
  return { document: writer.finish({ format: 'email', mime: 'message/rfc822' }), scans: writer.scans }
}

function people(addresses: Address | Address[] | undefined): string {
  const list = addresses === undefined ? [] : Array.isArray(addresses) ? addresses : [addresses]
  return list
    .flatMap((one) => ('group' in one && one.group ? one.group : [one]))
    .map(({ name, address }) => (name && address ? `${name} <${address}>` : (address ?? name)))
    .join(', ')
}
