// The far side of bench/inference.ts, in a process of its own: the inference worker, an echo over the same kind of
// stream (by grpc-js alone, or behind the worker's server), or a bare loop around session.run.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { duplex, loadService, startGrpcServer } from '../src/workers/grpc/index.ts'
import { widenConnections, widenStreams } from '../src/workers/grpc/internals.ts'
import { startInferenceWorker } from '../src/workers/inference/index.ts'

/** What a server tells of a measurement; its CPU in microseconds. */
export interface Report {
  loop_p99_ms: number
  loop_us: number
  process_us: number
}

const [mode = 'troupe', path = ''] = process.argv.slice(2)
const asIs = (bytes: Buffer): Buffer => bytes

if (mode === 'troupe') {
  const worker = await startInferenceWorker({ address: '127.0.0.1:0', models: path, providers: ['cpu'], watchMs: 0 })
  serve(worker.port)
} else if (mode.endsWith('echo')) {
  const definition = loadService('inference.proto', 'inference.GRPCInferenceService')
  const stream = { ...definition.ModelStreamInfer!, requestDeserialize: asIs, responseSerialize: asIs }
  if (mode === 'grpc-echo') {
    const plain = new Server()
    plain.addService(
      { ModelStreamInfer: stream },
      {
        ModelStreamInfer(rpc: ServerDuplexStream<Buffer, Buffer>) {
          rpc.on('data', (message: Buffer) => rpc.write(message))
          rpc.on('end', () => rpc.end())
        },
      },
    )
    // The worker's receive window, so that the two differ in one thing only.
    widenStreams(plain)
    const bound = Promise.withResolvers<number>()
    plain.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? bound.resolve(port) : bound.reject(error),
    )
    const port = await bound.promise
    widenConnections(plain)
    serve(port)
  } else {
    const echo = duplex<Buffer, Buffer>((rpc) => {
      rpc.onMessage((message) => rpc.send(message as Buffer))
      return new Promise<void>((resolve) => rpc.onEnd(resolve))
    })
    const server = await startGrpcServer({
      address: '127.0.0.1:0',
      services: [{ definition: { ModelStreamInfer: stream }, methods: { ModelStreamInfer: echo } }],
    })
    serve(server.port)
  }
} else {
  const [file = '', rows = '32', threads = '0'] = process.argv.slice(3)
  process.send!({ rows: await bareLoop(file, Number(rows), Number(threads)) })
}

/** Rows a second of the model alone. */
async function bareLoop(file: string, rows: number, threads: number): Promise<number> {
  const session = await InferenceSession.create(file, threads === 0 ? {} : { intraOpNumThreads: threads })
  const feeds = { x: new Tensor('float32', new Float32Array(rows * 384).fill(0.5), [rows, 384]) }
  for (let warm = 0; warm < 50; warm++) await session.run(feeds)
  const startedAt = performance.now()
  let runs = 0
  while (performance.now() - startedAt < 2_000) {
    await session.run(feeds)
    runs++
  }
  return (runs * rows) / ((performance.now() - startedAt) / 1_000)
}

function serve(port: number): void {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let before = cpu()
  process.on('message', (message: 'measure' | 'report') => {
    if (message === 'measure') {
      delay.reset()
      delay.enable()
      before = cpu()
    } else {
      delay.disable()
      const now = cpu()
      const report: Report = {
        loop_p99_ms: delay.percentile(99) / 1e6,
        loop_us: now.loop - before.loop,
        process_us: now.process - before.process,
      }
      process.send!(report)
    }
  })
  process.on('disconnect', () => process.exit(0))
  process.send!({ port })
}

function cpu(): { loop: number; process: number } {
  const whole = process.cpuUsage()
  const loop = process.threadCpuUsage()
  return { loop: loop.user + loop.system, process: whole.user + whole.system }
}
