// npm run bench -- inference [--n seconds a measurement] [--json]
//
// A 384-512-512-8 network behind the inference worker, against an echo of the same payload over the same kind of stream
// (what gRPC itself allows) and against a bare loop around session.run (what the model itself allows). Server and load
// are two processes, and every pair runs a second unmeasured first: compilers and caches are warm in all alike.
//
//   grpc-echo      a handler of grpc-js alone
//   troupe-echo    an echo over the worker's own kind of stream, past grpc-js (ADR 21)
//   troupe         the worker; prepared messages from the same load as the echoes
//   troupe-client  the worker; infer() as agents call it
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Client, credentials } from '@grpc/grpc-js'
import { writeOnnx } from '../src/training/onnx-writer.ts'
import { encodeRequest } from '../src/workers/inference/codec.ts'
import { createInferenceClient, floatTensor } from '../src/workers/inference/index.ts'
import type { Report } from './inference-server.ts'
import { quantile } from './measure.ts'

const WIDTHS = [384, 512, 512, 8]
const MODEL = 'perceptron'

interface Result {
  per_s: number
  p50_ms: number
  p99_ms: number
  loop_p99_ms: number
  /** CPU a request: of this process, of the server's event loop, of its other threads. They share the processors. */
  client_us: number
  server_us: number
  threads_us: number
}

export async function run({ n = 3, json }: { n?: number; json: boolean }): Promise<void> {
  const models = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  const folder = join(models, MODEL, '1')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.onnx'), perceptron())
  const lines: object[] = []
  const print = (line: object): void => {
    lines.push(line)
    if (json) console.log(JSON.stringify(line))
  }
  const ms = n * 1_000
  try {
    for (const [workload, rows, callers] of [
      ['one-row-64-callers', 1, 64],
      ['32-rows-64-callers', 32, 64],
      ['one-row-1-caller', 1, 1],
    ] as const) {
      const systems: [string, () => Promise<Result>][] = [
        ['grpc-echo', () => throughStream('grpc-echo', '', rows, callers, ms)],
        ['troupe-echo', () => throughStream('troupe-echo', '', rows, callers, ms)],
        ['troupe', () => throughStream('troupe', models, rows, callers, ms)],
        ['troupe-client', () => throughClient(models, rows, callers, ms)],
      ]
      for (const [system, measure] of systems) {
        const result = await measure()
        print({ system, workload, ...rounded({ ...result, rows_per_s: result.per_s * rows }) })
      }
    }
    // The worker gives a run all processors but one.
    for (const threads of [0, 1]) {
      const rows = await bare(join(folder, 'model.onnx'), 32, threads)
      const system = threads === 0 ? 'session.run, all processors' : `session.run, ${threads} thread`
      print({ system, workload: '32-rows-bare-loop', rows_per_s: Math.round(rows) })
    }
  } finally {
    rmSync(models, { recursive: true })
  }
  if (!json) console.table(lines)
}

function message(rows: number): { bytes: Buffer; values: Float32Array } {
  const values = Float32Array.from({ length: rows * WIDTHS[0]! }, (_, index) => ((index % 13) - 6) / 13)
  const inputs = [floatTensor('x', [rows, WIDTHS[0]!], values)]
  const bytes = encodeRequest({ model: MODEL, version: '', id: '1', parameters: {}, inputs, outputs: [], typed: false })
  return { bytes, values }
}

/** Callers in a closed loop over one stream each way; answers arrive in any order, so each one starts the next request. */
async function throughStream(mode: string, models: string, rows: number, callers: number, ms: number): Promise<Result> {
  return await withServer(mode, models, async (port, begin) => {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    const asIs = (bytes: Buffer): Buffer => bytes
    const stream = client.makeBidiStreamRequest('/inference.GRPCInferenceService/ModelStreamInfer', asIs, asIs)
    const { bytes } = message(rows)
    const sent: number[] = []
    let latencies: number[] = []
    const done = Promise.withResolvers<void>()
    const send = (): void => {
      sent.push(performance.now())
      stream.write(bytes)
    }
    let startedAt = Number.POSITIVE_INFINITY
    stream.on('error', () => {})
    stream.on('data', () => {
      const now = performance.now()
      latencies.push(now - sent.shift()!)
      if (now - startedAt < ms) send()
      else done.resolve()
    })
    for (let caller = 0; caller < callers; caller++) send()
    await setTimeout(WARM_UP_MS)
    begin()
    latencies = []
    startedAt = performance.now()
    await done.promise
    const elapsed = performance.now() - startedAt
    stream.cancel()
    client.close()
    return { latencies, elapsed }
  })
}

async function throughClient(models: string, rows: number, callers: number, ms: number): Promise<Result> {
  return await withServer('troupe', models, async (port, begin) => {
    const client = createInferenceClient({ address: `127.0.0.1:${port}` })
    const inputs = [floatTensor('x', [rows, WIDTHS[0]!], message(rows).values)]
    let latencies: number[] = []
    let startedAt = Number.POSITIVE_INFINITY
    const caller = async (): Promise<void> => {
      while (performance.now() - startedAt < ms) {
        const at = performance.now()
        await client.infer(MODEL, inputs)
        latencies.push(performance.now() - at)
      }
    }
    const all = Promise.all(Array.from({ length: callers }, caller))
    await setTimeout(WARM_UP_MS)
    begin()
    latencies = []
    startedAt = performance.now()
    await all
    const elapsed = performance.now() - startedAt
    client.close()
    return { latencies, elapsed }
  })
}

/** Calls `begin` when it is warm. */
type Load = (port: number, begin: () => void) => Promise<{ latencies: number[]; elapsed: number }>

const WARM_UP_MS = 1_000

async function withServer(mode: string, models: string, load: Load): Promise<Result> {
  const server = start([mode, models])
  try {
    const [{ port }] = (await once(server, 'message')) as [{ port: number }]
    let before = process.cpuUsage()
    const { latencies, elapsed } = await load(port, () => {
      server.send('measure')
      before = process.cpuUsage()
    })
    const { user, system } = process.cpuUsage(before)
    server.send('report')
    const [report] = (await once(server, 'message')) as [Report]
    return {
      per_s: latencies.length / (elapsed / 1_000),
      p50_ms: quantile(latencies, 0.5),
      p99_ms: quantile(latencies, 0.99),
      loop_p99_ms: report.loop_p99_ms,
      client_us: (user + system) / latencies.length,
      server_us: report.loop_us / latencies.length,
      threads_us: (report.process_us - report.loop_us) / latencies.length,
    }
  } finally {
    server.kill('SIGKILL')
  }
}

async function bare(file: string, rows: number, threads: number): Promise<number> {
  const server = start(['bare', file, String(rows), String(threads)])
  try {
    const [answer] = (await once(server, 'message')) as [{ rows: number }]
    return answer.rows
  } finally {
    server.kill('SIGKILL')
  }
}

function start(args: string[]): ChildProcess {
  return fork(join(import.meta.dirname, 'inference-server.ts'), args)
}

function rounded(values: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Number(value.toPrecision(4))]))
}

function perceptron(): Buffer {
  const layers = WIDTHS.slice(1).map((to, index) => ({ from: WIDTHS[index]!, to, number: index + 1 }))
  return writeOnnx({
    name: MODEL,
    inputs: [{ name: 'x', type: 'FP32', shape: ['batch', WIDTHS[0]!] }],
    outputs: [{ name: `m${layers.length}`, type: 'FP32', shape: ['batch', WIDTHS.at(-1)!] }],
    constants: layers.map(({ from, to, number }) => ({
      name: `w${number}`,
      shape: [from, to],
      data: Float32Array.from({ length: from * to }, (_, index) => ((index % 17) - 8) / 100),
    })),
    nodes: layers.flatMap(({ number }) => [
      { operator: 'MatMul', inputs: [number === 1 ? 'x' : `h${number - 1}`, `w${number}`], outputs: [`m${number}`] },
      ...(number === layers.length ? [] : [{ operator: 'Relu', inputs: [`m${number}`], outputs: [`h${number}`] }]),
    ]),
  })
}
