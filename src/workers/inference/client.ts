// The client of any Open Inference Protocol server: Troupe's worker, Triton, KServe. It streams, and falls back to
// unary calls where the server has no stream. Inference changes nothing, so a call that broke off is simply repeated,
// within a budget and behind a breaker.
import { Metadata, status } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { Breaker, type BreakerOptions, Connection, fromGrpcError, type TlsFiles } from '../grpc/index.ts'
import { type ControlCalls, controlCalls } from './client-control.ts'
import { openStream, type RequestStream } from './client-stream.ts'
import { floatRows, textTensor } from './client-tensors.ts'
import { decodeResponse, encodeRequest, type InferRequest, type InferResponse, type Parameters } from './codec.ts'
import { checkTensor, splitElements, type Tensor } from './tensor.ts'

export interface InferOptions {
  signal?: AbortSignal
  /** Milliseconds since 1970. Default: in 30 seconds. */
  deadline?: number
  version?: string
  /** W3C trace context, sent along. */
  traceparent?: string
  /** Send and receive typed contents instead of raw bytes. */
  typed?: boolean
  outputs?: readonly string[]
}

export interface Classification {
  label: string
  /** Of the chosen label. */
  score: number
  probabilities: Float32Array
}

export interface InferenceClient extends ControlCalls {
  infer(model: string, inputs: readonly Tensor[], options?: InferOptions): Promise<Tensor[]>
  classify(model: string, texts: readonly string[], options?: InferOptions): Promise<Classification[]>
  embed(model: string, texts: readonly string[], options?: InferOptions): Promise<Float32Array[]>
  close(): void
}

export interface InferenceClientOptions {
  address: string
  tls?: Partial<TlsFiles>
  /** Requests under way at once; more are refused with `overloaded`. Default 10000. */
  maxPending?: number
  timeoutMs?: number
  /** Bytes of one message. */
  messageBytes?: number
  breaker?: Partial<BreakerOptions>
  /** A worker that says nothing for twice as long is taken for gone. Default 10000; 0: never. */
  silenceMs?: number
  /** Never stream. */
  unary?: boolean
}

const ATTEMPTS = 3
/** Between attempts, times a random share: clients that were cut off together must not come back together. */
const BACKOFF_MS = [50, 250]

export function createInferenceClient(options: InferenceClientOptions): InferenceClient {
  const { address, maxPending = 10_000, timeoutMs = 30_000, messageBytes = 64 * 1024 * 1024 } = options
  const where = `inference worker ${address}`
  const breaker = new Breaker(options.breaker)
  const connection = new Connection({
    address,
    tls: options.tls,
    channel: {
      'grpc.max_receive_message_length': messageBytes,
      'grpc.max_send_message_length': messageBytes,
      'grpc-node.flow_control_window': 4 * 1024 * 1024,
    },
    silenceMs: options.silenceMs,
    onSilent: () => breaker.rest(),
  })
  let stream: RequestStream | undefined
  let unaryOnly = options.unary ?? false
  let pending = 0
  let nextId = 0
  let closed = false

  function streaming(): RequestStream {
    if (stream === undefined || !stream.open) stream = openStream(connection.client, new Metadata(), where)
    return stream
  }

  async function infer(model: string, inputs: readonly Tensor[], given: InferOptions = {}): Promise<InferResponse> {
    if (closed) throw new TroupeError('cancelled', `${where}: the client was closed`)
    if (pending >= maxPending) throw new TroupeError('overloaded', `${where}: ${pending} requests are under way`)
    const deadline = given.deadline ?? Date.now() + timeoutMs
    pending++
    try {
      return await attempt(model, inputs, given, deadline)
    } finally {
      pending--
    }
  }

  async function attempt(
    model: string,
    inputs: readonly Tensor[],
    given: InferOptions,
    deadline: number,
  ): Promise<InferResponse> {
    for (let number = 1; ; number++) {
      if (!breaker.allows()) throw new TroupeError('worker_unavailable', `${where}: failed again and again; waiting`)
      try {
        const response = await once(requestFor(model, inputs, given, deadline), given, deadline)
        breaker.succeeded()
        return response
      } catch (error) {
        if (!(error instanceof TroupeError)) throw error
        const broken = error.code === 'worker_unavailable' || error.code === 'draining'
        if (!broken) {
          // It answered, if only with a refusal.
          if (error.code !== 'cancelled' && error.code !== 'deadline_exceeded') breaker.succeeded()
          throw error
        }
        breaker.failed()
        if (closed || number >= ATTEMPTS || !breaker.takeRetry()) throw error
        const pause = BACKOFF_MS[number - 1]! * (0.5 + Math.random())
        if (Date.now() + pause >= deadline) throw error
        await sleep(pause, given.signal)
      }
    }
  }

  function requestFor(model: string, inputs: readonly Tensor[], given: InferOptions, deadline: number): InferRequest {
    const left = Math.ceil(deadline - Date.now())
    if (left <= 0) throw new TroupeError('deadline_exceeded', `${where}: the deadline passed`)
    // Typed contents are made from the bytes, so those must be what the shape says; raw ones the server checks.
    if (given.typed) for (const input of inputs) checkTensor(input)
    const parameters: Parameters = { timeout_ms: left }
    if (given.traceparent !== undefined) parameters.traceparent = given.traceparent
    return {
      model,
      version: given.version ?? '',
      id: String(nextId++),
      parameters,
      inputs: [...inputs],
      outputs: [...(given.outputs ?? [])],
      typed: given.typed ?? false,
    }
  }

  function once(request: InferRequest, given: InferOptions, deadline: number): Promise<InferResponse> {
    return new Promise((resolve, reject) => {
      if (given.signal?.aborted) {
        reject(given.signal.reason)
        return
      }
      let giveUp = (): void => {}
      const end = (error: unknown, response?: InferResponse): void => {
        clearTimeout(timer)
        given.signal?.removeEventListener('abort', aborted)
        if (response === undefined) reject(error)
        else resolve(response)
      }
      const aborted = (): void => {
        giveUp()
        end(given.signal?.reason)
      }
      const timer = setTimeout(
        () => {
          giveUp()
          end(new TroupeError('deadline_exceeded', `${where}: no answer in time`))
        },
        Math.min(deadline - Date.now(), 0x7fffffff),
      )
      given.signal?.addEventListener('abort', aborted, { once: true })
      if (unaryOnly) {
        giveUp = unaryCall(request, given, deadline, end)
        return
      }
      const used = streaming()
      giveUp = () => used.forget(request.id)
      used.send(request, (error, response) => {
        if (error?.detail?.grpc !== status[status.UNIMPLEMENTED]) return end(error, response)
        // Not everybody has Triton's stream.
        unaryOnly = true
        giveUp = unaryCall(request, given, deadline, end)
      })
    })
  }

  function unaryCall(
    request: InferRequest,
    given: InferOptions,
    deadline: number,
    end: (error: unknown, response?: InferResponse) => void,
  ): () => void {
    const metadata = new Metadata()
    if (given.traceparent !== undefined) metadata.set('traceparent', given.traceparent)
    const rpc = connection.client.makeUnaryRequest(
      '/inference.GRPCInferenceService/ModelInfer',
      encodeRequest,
      decodeResponse,
      request,
      metadata,
      { deadline },
      (error, response) => end(error === null ? null : fromGrpcError(error, where, 'model_not_found'), response),
    )
    return () => rpc.cancel()
  }

  const control = controlCalls(connection, where, timeoutMs)
  return {
    infer: async (model, inputs, given) => (await infer(model, inputs, given)).outputs,
    async classify(model, texts, given) {
      const { outputs } = await infer(model, [textTensor(texts)], given)
      const labels = splitElements(output(outputs, 'label', model).bytes)
      const rows = floatRows(output(outputs, 'probabilities', model))
      return rows.map((probabilities, row) => ({
        label: labels[row]!.toString('utf8'),
        score: Math.max(...probabilities),
        probabilities,
      }))
    },
    async embed(model, texts, given) {
      const { outputs } = await infer(model, [textTensor(texts)], given)
      return floatRows(output(outputs, 'embedding', model))
    },
    ...control,
    close() {
      closed = true
      stream?.close()
      connection.close()
    },
  }
}

function output(outputs: readonly Tensor[], name: string, model: string): Tensor {
  const found = outputs.find((each) => each.name === name)
  if (found === undefined) throw new TroupeError('invalid_input', `model “${model}” gives no ${name}`)
  return found
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    signal?.addEventListener('abort', aborted, { once: true })
  })
}
