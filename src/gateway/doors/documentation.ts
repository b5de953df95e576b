// What the gateway says about itself: the OpenAPI document made from the routes' schemas, a page to read it and try it,
// and the page of error codes that every problem's `type` points at.
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { ERROR_CODES } from '../../contract/errors.ts'
import { VERSION } from '../version.ts'
import { addDocsPage } from './docs-page.ts'

const TAGS = {
  tasks: 'Submit work, follow it, answer it, cancel it.',
  schedules: 'Tasks at a time, or again and again.',
  agents: 'What can be asked to work.',
  documents: 'Files that tasks name by id.',
  collections: 'Text that can be searched.',
  usage: 'What was spent, and what may be.',
  keys: 'Who may use the API.',
  audit: 'Who changed what.',
  streams: 'Many tasks and event streams over one connection.',
  mcp: 'The agents as tools of an assistant.',
  operations: 'For operators and probes.',
}

/** Before the routes: what it adds to the application watches them being made. */
export async function addDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Troupe',
        version: VERSION,
        description:
          'Supervised, durable agents. Errors are problem+json with a stable `code`; see /errors. A query parameter that an operation under /v1 does not list is refused with 400.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This gateway' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      security: [{ bearer: [] }, { apiKey: [] }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key (`trp_…`) or a token.' },
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          clientCredentials: {
            type: 'oauth2',
            flows: { clientCredentials: { tokenUrl: '/oauth/token', scopes: {} } },
          },
        },
      },
    },
    transform: (document) => {
      const transformed = jsonSchemaTransform(document)
      const { schema, url } = transformed
      if (schema !== undefined && schema.operationId === undefined) {
        schema.operationId = operationId([document.route.method].flat()[0] ?? 'GET', url)
      }
      return transformed
    },
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  })

  app.get('/openapi.json', { schema: { hide: true } as object }, async () => app.swagger())

  app.get('/errors', { schema: { hide: true } as object }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(errorsPage()),
  )

  addDocsPage(app)
}

/** Every schema is offered as input and as output; most are used as one of them. */
function withoutUnused(document: ReturnType<typeof jsonSchemaTransformObject>): typeof document {
  const schemas = (document as { components?: { schemas?: Record<string, unknown> } }).components?.schemas ?? {}
  for (let before = -1; before !== Object.keys(schemas).length; ) {
    before = Object.keys(schemas).length
    const text = JSON.stringify(document)
    for (const name of Object.keys(schemas)) {
      if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
    }
  }
  return document
}

/** `POST /v1/tasks/{id}/cancel` → `postTasksByIdCancel`: stable, so that generated clients stay the same. */
function operationId(method: string, url: string): string {
  const words = url
    .replace(/^\/v1/, '')
    .split(/[/.-]/)
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? `By${capital(part.slice(1))}` : capital(part)))
  return method.toLowerCase() + words.join('')
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, [status, passing, fix]]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${passing ? 'yes' : 'no'}</td><td>${escapeHtml(fix)}</td></tr>`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Troupe: error codes</title>
<h1>Error codes</h1><table><thead><tr><th>code</th><th>status</th><th>may pass later</th><th>what to do</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody></table></html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
