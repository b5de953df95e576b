// Makes requests from an OpenAPI document: mostly what it asks for, sometimes almost that, sometimes something else.
// The same seed makes the same requests.
import { seededRandom } from '../../../src/training/random.ts'

export interface Operation {
  method: string
  path: string
  parameters: Parameter[]
  body: { mediaType: string; schema: Schema } | undefined
  /** By status: the media types that are documented. */
  responses: Map<number, string[]>
}

interface Parameter {
  in: string
  name: string
  required?: boolean
  schema: Schema
}

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
}

export interface Document {
  paths: Record<string, Record<string, unknown>>
  components: { schemas: Record<string, Schema> }
}

export interface GeneratedRequest {
  operation: Operation
  path: string
  headers: Record<string, string>
  body: string | FormData | undefined
}

export function operationsOf(document: Document): Operation[] {
  const operations: Operation[] = []
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, described] of Object.entries(methods)) {
      const {
        parameters = [],
        requestBody,
        responses,
      } = described as {
        parameters?: Parameter[]
        requestBody?: { content: Record<string, { schema: Schema }> }
        responses: Record<string, { content?: Record<string, unknown> }>
      }
      const [mediaType, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
      operations.push({
        method: method.toUpperCase(),
        path,
        parameters,
        body: mediaType === undefined ? undefined : { mediaType, schema: content!.schema },
        responses: new Map(
          Object.entries(responses).map(([status, one]) => [Number(status), Object.keys(one.content ?? {})]),
        ),
      })
    }
  }
  return operations
}

/** `known` are values that exist, by the name of a parameter or property: ids, agents. */
export function requestMaker(document: Document, seed: number, known: (name: string) => string[]) {
  const random = seededRandom(seed).next
  const chance = (probability: number) => random() < probability
  const pick = <One>(list: readonly One[]): One => list[Math.floor(random() * list.length)]!
  const operations = operationsOf(document)

  function oddity(): unknown {
    return pick([
      null,
      true,
      -1,
      1e308,
      2 ** 53,
      '',
      '\u0000',
      '\ud800',
      'x'.repeat(3_000),
      '../..',
      [],
      {},
      [[[]]],
      '😀',
    ])
  }

  function text(schema: Schema, name: string): string {
    const existing = known(name)
    if (existing.length > 0 && chance(0.8)) return pick(existing)
    if (schema.format === 'date-time') return pick(['2031-05-06T07:08:09Z', '2020-01-01T00:00:00+02:00', 'yesterday'])
    if (name === 'traceparent') return '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    if (name === 'prefer') return pick(['wait=5', 'respond-async', 'wait=-1', 'wait=99999999999'])
    if (name === 'accept') return pick(['application/json', 'text/event-stream', '*/*'])
    if (name === 'range') return pick(['bytes=0-3', 'bytes=9999999-', 'bytes=5-2', 'lines=1-2'])
    if (name === 'status') return pick(['queued', 'completed,failed', 'asleep'])
    return pick(['abc', 'a-b', '0', 'default', 'hello world', '"quoted"', `n${Math.floor(random() * 1e6)}`])
  }

  function instanceOf(given: Schema, name: string, depth = 0): unknown {
    const schema = given.$ref === undefined ? given : document.components.schemas[given.$ref.split('/').at(-1)!]!
    if (chance(0.04)) return oddity()
    if (schema.const !== undefined) return schema.const
    if (schema.enum !== undefined) return pick(schema.enum)
    const options = schema.anyOf ?? schema.oneOf
    if (options !== undefined) return instanceOf(pick(options), name, depth)
    const type = Array.isArray(schema.type) ? pick(schema.type) : schema.type
    if (type === 'object' || schema.properties !== undefined) return objectOf(schema, name, depth)
    if (type === 'array') {
      return Array.from({ length: Math.floor(random() * 3) }, () => instanceOf(schema.items ?? {}, name, depth + 1))
    }
    if (type === 'integer' || type === 'number')
      return pick([schema.minimum ?? 0, 1, 5, schema.maximum ?? 100, 1.5, -3])
    if (type === 'boolean') return chance(0.5)
    if (type === 'null') return null
    if (type === 'string') return text(schema, name)
    return depth > 3 ? 1 : pick([1, 'text', { any: ['thing'] }, null, [1, 2]])
  }

  function objectOf(schema: Schema, name: string, depth: number): unknown {
    const made: Record<string, unknown> = {}
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const needed = schema.required?.includes(key) === true || key === 'input'
      if (chance(needed ? 0.98 : 0.3)) made[key] = instanceOf(property, key, depth + 1)
    }
    if (typeof schema.additionalProperties === 'object') {
      for (let count = Math.floor(random() * 3); count > 0; count--) {
        made[text({}, name)] = instanceOf(schema.additionalProperties, name, depth + 1)
      }
    }
    if (chance(0.03)) made.unexpected = oddity()
    return made
  }

  function body(operation: Operation, headers: Record<string, string>): string | FormData | undefined {
    if (operation.body === undefined || chance(0.03)) return undefined
    const { mediaType, schema } = operation.body
    if (mediaType === 'multipart/form-data') {
      const form = new FormData()
      if (chance(0.95)) form.append('file', new Blob([text({}, 'content')]), text({}, 'file'))
      if (chance(0.05)) form.append('extra', 'field')
      return form
    }
    headers['content-type'] = chance(0.02) ? 'text/csv' : mediaType
    const value = instanceOf(schema, 'body')
    if (mediaType === 'application/x-www-form-urlencoded') {
      const isForm = typeof value === 'object' && value !== null && !Array.isArray(value)
      return isForm ? new URLSearchParams(value as Record<string, string>).toString() : String(value)
    }
    const json = JSON.stringify(value)
    return chance(0.03) ? json.slice(0, -1) : json
  }

  return (): GeneratedRequest => {
    const operation = pick(operations)
    const headers: Record<string, string> = {}
    const query = new URLSearchParams()
    let path = operation.path
    for (const { in: place, name, required, schema } of operation.parameters) {
      const value = instanceOf(schema, name)
      const written = typeof value === 'string' ? value : JSON.stringify(value)
      if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(written.toWellFormed()) || '-')
      else if (required !== true && chance(0.5)) continue
      else if (place === 'query') query.set(name, written)
      else if (place === 'header') headers[name] = written.replace(/[^\x20-\x7e]/g, '?')
    }
    if (chance(0.02)) query.set('unexpected', 'parameter')
    const search = query.size === 0 ? '' : `?${query}`
    return { operation, path: path + search, headers, body: body(operation, headers) }
  }
}
