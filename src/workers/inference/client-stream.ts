// Many requests over one bidirectional stream, paired with their answers by id. grpc-js answers several times as many
// requests this way as with a call for each. A stream that breaks fails what it carried; the next request opens another.
import type { Client, ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { fromGrpcError } from '../grpc/index.ts'
import { isErrorCode } from '../grpc/status.ts'
import {
  decodeStreamResponse,
  encodeRequest,
  type InferRequest,
  type InferResponse,
  type StreamResponse,
} from './codec.ts'

export const STREAM_PATH = '/inference.GRPCInferenceService/ModelStreamInfer'

export type Answer = (error: TroupeError | null, response: InferResponse | undefined) => void

export interface RequestStream {
  readonly open: boolean
  readonly pending: number
  send(request: InferRequest, answer: Answer): void
  /** Forgets a request whose caller gave up; its answer will be ignored. */
  forget(id: string): void
  close(): void
}

export function openStream(client: Client, metadata: Metadata, where: string): RequestStream {
  const rpc: ClientDuplexStream<InferRequest, StreamResponse> = client.makeBidiStreamRequest(
    STREAM_PATH,
    encodeRequest,
    decodeStreamResponse,
    metadata,
  )
  const pending = new Map<string, Answer>()
  let open = true

  const fail = (error: TroupeError): void => {
    open = false
    const answers = [...pending.values()]
    pending.clear()
    for (const answer of answers) answer(error, undefined)
  }
  rpc.on('data', ({ error, response }: StreamResponse) => {
    const id = pending.has(response.id) || response.id !== '' ? response.id : onlyKey(pending)
    const answer = pending.get(id)
    pending.delete(id)
    if (error === '') answer?.(null, response)
    else answer?.(codedError(error, response), undefined)
  })
  rpc.on('error', (error: ServiceError) => fail(fromGrpcError(error, where)))
  rpc.on('end', () => {
    fail(new TroupeError('worker_unavailable', `${where}: the worker closed the stream`))
    rpc.end()
  })
  return {
    get open() {
      return open
    },
    get pending() {
      return pending.size
    },
    send(request, answer) {
      pending.set(request.id, answer)
      rpc.write(request)
    },
    forget: (id) => pending.delete(id),
    close() {
      fail(new TroupeError('cancelled', `${where}: the client was closed`))
      rpc.cancel()
    },
  }
}

/** Servers of other people may leave the id out of an error: it is clear whose it is when only one waits. */
function onlyKey(pending: Map<string, Answer>): string {
  return pending.size === 1 ? [...pending.keys()][0]! : ''
}

function codedError(message: string, { parameters }: InferResponse): TroupeError {
  const code = parameters['troupe-code']
  return new TroupeError(isErrorCode(code) ? code : 'invalid_input', message)
}
