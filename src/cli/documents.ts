// troupe documents put | get | ls | delete
import { writeFile } from 'node:fs/promises'
import { TroupeError } from '../contract/errors.ts'
import { addDocument, passagesIn } from './collections.ts'
import type { Handler } from './context.ts'
import { bytes, duration, table } from './table.ts'

interface DocumentView {
  id: string
  name: string
  mime: string
  bytes: number
  createdAt: string
}

export const putDocument: Handler<{ name?: string; collection?: string }> = async (context, [file], options) => {
  const gateway = await context.connect()
  const document = await gateway.upload<DocumentView>('/v1/documents', file!, options.name)
  context.show(document, ({ id }) => id)
  if (options.collection === undefined) return
  const { passages } = await addDocument(gateway, options.collection, document.id)
  context.terminal.note(passagesIn(passages, options.collection))
}

export const getDocument: Handler<{ output?: string }> = async (context, [id], { output }) => {
  const gateway = await context.connect()
  if (context.globals.json) {
    context.terminal.out(JSON.stringify(await gateway.get(documentPath(id!)), null, 2))
    return
  }
  const content = await gateway.download(`${documentPath(id!)}/content`)
  if (output === undefined) process.stdout.write(content)
  else await save(output, content)
}

async function save(file: string, content: Uint8Array): Promise<void> {
  await writeFile(file, content).catch((error: Error) => {
    throw new TroupeError('invalid_command', `${file} cannot be written: ${error.message}.`)
  })
}

function documentPath(id: string): string {
  return `/v1/documents/${encodeURIComponent(id)}`
}

export const listDocuments: Handler<{ limit: string }> = async (context, _, { limit }) => {
  const gateway = await context.connect()
  const { documents } = await gateway.get<{ documents: DocumentView[] }>('/v1/documents', { query: { limit } })
  context.show(documents, (all) =>
    table(
      ['ID', 'NAME', 'TYPE', 'SIZE', 'AGE'],
      all.map((one) => [
        one.id,
        one.name,
        one.mime,
        bytes(one.bytes),
        duration(Date.now() - Date.parse(one.createdAt)),
      ]),
    ),
  )
}

export const deleteDocument: Handler = async (context, [id]) => {
  const gateway = await context.connect()
  await gateway.remove(documentPath(id!))
  context.show({ deleted: id }, () => `${id} is deleted`)
}
