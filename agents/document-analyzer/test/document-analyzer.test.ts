import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { explore, runAgent, type TestServices } from '@troupe/sdk/testing'
import { closeDocumentPools } from '@troupe/tools/document-pool'
import PdfDocument from 'pdfkit'
import analyzer from '../index.ts'
import { machine } from '../machine.ts'
import type { Input, Output } from '../shapes.ts'

after(closeDocumentPools)

const LETTER = `Dear Dr. Weber,

Northwind Traders Ltd. will deliver 40 wind turbines to Hamburg on 12 March 2025. The turbines cost € 4.2 million, which
Northwind Traders Ltd. invoices in two parts. The first part is due when the contract is signed. The second part is due
when the turbines turn.

Please write to sales@northwind.example or call +49 40 3615 0 if anything is unclear.`

async function analyse(input: Partial<Input>, services: TestServices = {}): Promise<Output> {
  const { task } = await runAgent(analyzer, { ocr: true, summarySentences: 3, ...input }, { services })
  assert.equal(task.state, 'completed', JSON.stringify(task.error))
  return task.output as Output
}

test('a text becomes language, entities with offsets, key phrases and a summary that cites', async () => {
  const output = await analyse({ document: { text: LETTER, name: 'letter.txt' } })
  assert.equal(output.document?.format, 'text')
  assert.equal(output.language?.code, 'en')
  const values = (kind: string) =>
    output.entities.filter((one) => one.kind === kind).map((one) => one.value ?? one.text)
  assert.deepEqual(values('date'), ['2025-03-12'])
  assert.deepEqual(values('money'), ['EUR 4200000'])
  assert.deepEqual(values('email'), ['sales@northwind.example'])
  assert.ok(values('person').includes('Weber'))
  assert.ok(values('organisation').includes('Northwind Traders Ltd'))
  for (const { text, start, end, page } of output.entities) {
    assert.equal(LETTER.slice(start, end), text)
    assert.equal(page, 1)
  }
  assert.ok(output.keyPhrases.some((one) => /turbines/.test(one.text)))
  assert.equal(output.summary?.kind, 'extractive')
  for (const { text, start, end } of output.summary!.citations)
    assert.equal(LETTER.slice(start, end).replace(/\s+/g, ' '), text)
})

test('rows of data are a table, told by its columns, whatever stands in their cells', async () => {
  const served: TestServices = {
    inference: {
      async classify() {
        return [{ label: 'email', confidence: 0.8, scores: { email: 0.8 } }]
      },
    },
  }
  const text = `order_id,customer_email\n${Array.from({ length: 30 }, (_, n) => `O-${n},user${n}@shop.example`).join('\n')}`
  const { type, summary } = await analyse({ document: { text, name: 'orders.csv' } }, served)
  assert.equal(type?.label, 'table')
  assert.equal(summary?.kind, 'structural')
  assert.equal(summary?.text, 'A table of 30 rows and 2 columns: order_id, customer_email.')
})

test('a document at an address is read, stored, and named by where it was found', async () => {
  const web = {
    async read(url: string) {
      return { url: `${url}?moved`, name: 'letter.txt', mime: 'text/plain', content: new TextEncoder().encode(LETTER) }
    },
  }
  const output = await analyse({ document: { url: 'https://files.example.org/letter' } }, { web })
  assert.equal(output.document?.url, 'https://files.example.org/letter?moved')
  assert.equal(output.document?.name, 'letter.txt')
  assert.match(output.document?.id ?? '', /^doc_/)
  assert.ok(output.entities.length > 3)
})

test('an address that is not allowed fails the task with its code', async () => {
  const input = { document: { url: 'http://169.254.169.254/latest/meta-data' } }
  const { task } = await runAgent(analyzer, input as never)
  assert.deepEqual([task.state, task.error?.code], ['failed', 'address_refused'])
})

test('without workers it says what is missing and does the rest', async () => {
  const output = await analyse({ document: { text: LETTER }, collection: 'letters' })
  assert.equal(output.type?.label, 'unknown')
  const degraded = output.warnings.filter((one) => one.kind === 'degraded').map((one) => one.message)
  assert.deepEqual(
    degraded.map((message) => message.split(':')[0]),
    ['No inference worker', 'No retrieval worker'],
  )
})

test('the type comes from the model, and a weak one is unknown', async () => {
  const served = (label: string, confidence: number): TestServices => ({
    inference: {
      classify: async (_, texts) =>
        texts.map(() => ({ label, confidence, scores: { [label]: confidence, memo: 1 - confidence } })),
    },
  })
  const sure = await analyse({ document: { text: LETTER } }, served('letter', 0.93))
  assert.deepEqual([sure.type?.label, sure.type?.confidence], ['letter', 0.93])
  const unsure = await analyse({ document: { text: LETTER } }, served('letter', 0.3))
  assert.equal(unsure.type?.label, 'unknown')
  assert.equal(unsure.type?.alternatives[0]?.label, 'memo')
})

test('a stored PDF is read with its pages and answers a question with a citation', async () => {
  const content = await pdfOf([
    'A first page about nothing in particular.',
    'The warranty lasts five years from delivery.',
  ])
  const services = { documents: { d1: { name: 'terms.pdf', mime: 'application/pdf', content } } }
  const output = await analyse({ document: { id: 'd1' }, question: 'How long does the warranty last?' }, services)
  assert.equal(output.document?.pages, 2)
  assert.equal(output.answer?.kind, 'passages')
  assert.match(output.answer!.text, /five years/)
  assert.deepEqual([output.answer?.citations[0]?.documentId, output.answer?.citations[0]?.page], ['d1', 2])
})

test('it is put into a collection under its own id, and a collection is asked without a document', async () => {
  const stored: { documentId: string; text: string }[] = []
  const services: TestServices = {
    retrieval: {
      upsert: async (_, drafts) => {
        stored.push(...drafts)
        return { passages: drafts.length }
      },
      search: async () => [
        {
          documentId: 'd7',
          passageId: 'p1',
          text: 'Two years.',
          start: 10,
          end: 20,
          score: 0.9,
          metadata: {},
          highlights: [],
        },
      ],
    },
  }
  const indexed = await analyse({ document: { text: LETTER }, collection: 'letters' }, services)
  assert.deepEqual(indexed.indexed, { collection: 'letters', passages: 1 })
  assert.equal(stored[0]?.text, LETTER)
  const asked = await analyse({ question: 'How long?', collection: 'letters' }, services)
  assert.equal(asked.document, undefined)
  assert.deepEqual(
    asked.answer?.citations.map((one) => one.documentId),
    ['d7'],
  )
})

test('large tables are cut in the output and whole in the store', async () => {
  const csv = `name,amount\n${Array.from({ length: 300 }, (_, row) => `item ${row},${row}`).join('\n')}\n`
  const output = await analyse({ document: { text: csv, name: 'items.csv' } })
  assert.equal(output.document?.tables[0]?.rows.length, 50)
  assert.equal(output.document?.tables[0]?.rowCount, 300)
  assert.ok(output.document?.tablesDocument !== undefined)
})

test('an encrypted document is a result that says so; an unreadable one fails with its code', async () => {
  const content = await pdfOf(['secret'], { userPassword: 'sesame' })
  const documents = {
    d1: { name: 'a.pdf', mime: 'application/pdf', content },
    d2: { name: 'b.pdf', mime: 'application/pdf', content: '%PDF-1.4 broken' },
  }
  const output = await analyse({ document: { id: 'd1' } }, { documents })
  assert.equal(output.document?.encrypted, true)
  assert.ok(output.warnings.some((one) => one.kind === 'encrypted'))
  const { task } = await runAgent(
    analyzer,
    { document: { id: 'd2' }, ocr: true, summarySentences: 3 },
    { services: { documents } },
  )
  assert.equal(task.state, 'failed')
  assert.equal(task.error?.code, 'document_unreadable')
})

/** The far side: a chat model that says these sentences, one after the other. */
function llmThatSays(...responses: string[]): TestServices {
  const model = new FakeListChatModel({ responses })
  return { llm: { configured: true, chat: async () => model } }
}

test('with an LLM the summary is written anew, and what the document does not bear out is left out', async () => {
  const services = llmThatSays('Northwind delivers 40 turbines to Hamburg. The turbines cost 9 million euros.')
  const output = await analyse({ document: { text: LETTER } }, services)
  assert.equal(output.summary?.kind, 'abstractive')
  assert.equal(output.summary?.text, 'Northwind delivers 40 turbines to Hamburg.')
  assert.match(LETTER.slice(output.summary!.citations[0]!.start, output.summary!.citations[0]!.end), /40 wind turbines/)
  assert.ok(output.warnings.some((one) => /not borne out/.test(one.message)))
})

test('a composed answer cites its passages; one that names what they do not have is replaced by them', async () => {
  const summary = 'The first part is due when the contract is signed.'
  const input = { document: { text: LETTER }, question: 'When is the first part due?' }
  const good = await analyse(input, llmThatSays(summary, 'It is due when the contract is signed [1].'))
  assert.deepEqual([good.answer?.kind, good.answer?.text], ['composed', 'It is due when the contract is signed [1].'])
  assert.equal(good.answer?.citations.length, 1)
  const invented = await analyse(input, llmThatSays(summary, 'It is due on 31 December 2031 [1].'))
  assert.equal(invented.answer?.kind, 'passages')
  assert.ok(invented.warnings.some((one) => /names what no cited passage has/.test(one.message)))
  const uncited = await analyse(input, llmThatSays(summary, 'Trust me.'))
  assert.ok(uncited.warnings.some((one) => /cites no passage/.test(one.message)))
})

test('an LLM that fails costs a warning, not the task', async () => {
  const broken: TestServices = {
    llm: {
      configured: true,
      chat: async () => {
        throw new Error('the endpoint answers 500')
      },
    },
  }
  const output = await analyse({ document: { text: LETTER }, question: 'When is the first part due?' }, broken)
  assert.equal(output.summary?.kind, 'extractive')
  assert.equal(output.answer?.kind, 'passages')
  assert.equal(output.warnings.filter((one) => /500/.test(one.message)).length, 2)
})

test('every state of the machine can be reached', () => {
  const document = { textDocument: 't', structure: { headings: [] }, tables: [], pageStarts: [0] }
  const outputs: Record<string, unknown> = {
    reading: { document, warnings: [] },
    tellingLanguage: { code: 'en', confidence: 1 },
    'understanding.type.classifying': { type: {}, warnings: [] },
    'understanding.entities.finding': { entities: [], warnings: [] },
    'understanding.keyPhrases.finding': [],
    'understanding.summary.writing': { summary: {}, warnings: [] },
    indexing: { warnings: [] },
    answering: { answer: {}, warnings: [] },
  }
  const events = Object.entries(outputs).map(([state, output]) => ({
    type: `xstate.done.actor.0.document-analyzer.${state}`,
    output,
  }))
  const input = { document: { text: 'x' }, question: 'y', collection: 'z', ocr: true, summarySentences: 3 }
  // `starting` is left in the same moment.
  assert.deepEqual(explore(machine, { input, events }).unreached, ['document-analyzer.starting'])
})

/** As much of pdfkit as is drawn with here; it comes without types. */
interface Pdf {
  on(event: string, listener: (value: never) => void): void
  text(text: string): Pdf
  addPage(): Pdf
  end(): void
}
const NewPdf = PdfDocument as unknown as new (options: object) => Pdf

function pdfOf(pages: string[], options: object = {}): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const pdf = new NewPdf(options)
    const chunks: Buffer[] = []
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
    pdf.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))))
    pages.forEach((page, index) => void (index === 0 ? pdf : pdf.addPage()).text(page))
    pdf.end()
  })
}
