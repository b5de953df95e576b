// A service of the tests with all four shapes of an rpc, and clients for it and for any other service.
import { join } from 'node:path'
import {
  type Client,
  credentials,
  makeClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js'
import type { Call } from '../../../../src/workers/grpc/index.ts'
import {
  bidirectional,
  clientStream,
  type GrpcServerOptions,
  loadService,
  serverStream,
  startGrpcServer,
  unary,
} from '../../../../src/workers/grpc/index.ts'

export interface Text {
  text: string
}

export const echoDefinition = loadService(join(import.meta.dirname, 'echo.proto'), 'troupe.test.Echo')

export async function startEcho(
  options: Partial<GrpcServerOptions> = {},
  one: (request: Text, call: Call) => Promise<Text> | Text = (request) => request,
) {
  return await startGrpcServer({
    address: '127.0.0.1:0',
    ...options,
    services: [
      {
        definition: echoDefinition,
        methods: {
          One: unary(one),
          Many: serverStream(async function* ({ text }: Text) {
            for (const letter of text) yield { text: letter }
          }),
          Collect: clientStream(async (requests: AsyncIterable<Text>) => {
            let text = ''
            for await (const request of requests) text += request.text
            return { text }
          }),
          Each: bidirectional(async function* (requests: AsyncIterable<Text>) {
            for await (const request of requests) yield request
          }),
        },
      },
    ],
  })
}

/** proto-loader's clients carry their methods by name; TypeScript cannot know them. */
// biome-ignore lint/suspicious/noExplicitAny: the methods of a dynamically loaded client are untyped by design
export type AnyClient = Client & Record<string, any>

export function connect(
  definition: ServiceDefinition,
  port: number,
  channel = credentials.createInsecure(),
): AnyClient {
  const Constructor = makeClientConstructor(definition, 'Client')
  return new Constructor(`localhost:${port}`, channel) as AnyClient
}

export function call<Response>(
  client: AnyClient,
  method: string,
  request: unknown,
  options: object = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client[method](request, options, (error: ServiceError | null, response: Response) => {
      if (error === null) resolve(response)
      else reject(error)
    })
  })
}

export async function collect<Response>(stream: AsyncIterable<Response>): Promise<Response[]> {
  const all: Response[] = []
  for await (const response of stream) all.push(response)
  return all
}
