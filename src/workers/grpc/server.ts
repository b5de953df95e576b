// One gRPC server: bind, serve, drain, stop. Its own services come from the worker; health and reflection are added.
import { Server, type ServiceDefinition, status, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'
import { Health } from './health.ts'
import { divert, widenConnections, widenStreams } from './internals.ts'
import { type DirectHandler, type Method, type MethodEnvironment, Undecodable } from './methods.ts'
import type { Metrics } from './metrics.ts'
import { reflectionServices } from './reflection.ts'
import { serverCredentials, type TlsFiles } from './tls.ts'

export interface GrpcService {
  definition: ServiceDefinition
  /** By rpc name as in the .proto file. An rpc without a method answers UNIMPLEMENTED. */
  methods: Record<string, Method>
}

export interface GrpcLimits {
  /** Bytes of one message in either direction. */
  messageBytes: number
  /** Calls open at once on one connection. */
  streamsPerConnection: number
  /**
   * So often a client is asked whether it lives, and so long it may stand still before it answers. A machine that vanishes
   * closes nothing: its calls would go on for nobody, and its connection would stay.
   */
  silenceMs: number
}

const DEFAULT_LIMITS: GrpcLimits = {
  messageBytes: 64 * 1024 * 1024,
  streamsPerConnection: 1_000,
  silenceMs: 30_000,
}

export interface GrpcServerOptions {
  /** `host:port`; port 0 takes a free one. */
  address: string
  services: readonly GrpcService[]
  tls?: TlsFiles
  limits?: Partial<GrpcLimits>
  /** Counts calls by method and status, and their time. */
  metrics?: Metrics
}

export interface GrpcServer {
  port: number
  health: Health
  /** Stops taking calls, lets running ones end within the grace, aborts the rest. Resolves when all is closed. */
  drain(graceMs: number): Promise<void>
  /** Ends every call now. */
  stop(): Promise<void>
}

export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const server = new Server({
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.keepalive_time_ms': limits.silenceMs,
    'grpc.keepalive_timeout_ms': limits.silenceMs,
  })
  widenStreams(server)
  const health = new Health()
  const draining = new AbortController()
  const stopped = new AbortController()
  const onCall = callCounter(options.metrics)

  const direct = new Map<string, DirectHandler>()

  const services = [...options.services, health.service()]
  for (const service of [...services, ...reflectionServices(services.map(({ definition }) => definition))]) {
    const environment = { draining: draining.signal, stopped: stopped.signal, onCall }
    addService(server, service, environment, limits.messageBytes, direct)
  }
  for (const { definition } of options.services) health.set(serviceName(definition), true)

  const port = await bind(server, options)
  widenConnections(server)
  divert(server, direct)
  return {
    port,
    health,
    async drain(graceMs) {
      health.drain()
      draining.abort()
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
      const grace = setTimeout(() => {
        stopped.abort()
        server.forceShutdown()
      }, graceMs)
      await closed
      clearTimeout(grace)
    },
    async stop() {
      health.drain()
      draining.abort()
      stopped.abort()
      server.forceShutdown()
    },
  }
}

function addService(
  server: Server,
  service: GrpcService,
  environment: Omit<MethodEnvironment, 'path'>,
  mostBytes: number,
  direct: Map<string, DirectHandler>,
): void {
  const definition: Record<string, ServiceDefinition[string]> = {}
  const implementation: UntypedServiceImplementation = {}
  for (const [name, rpc] of Object.entries(service.definition)) {
    definition[name] = { ...rpc, requestDeserialize: decoder(rpc.requestDeserialize) }
    const method = service.methods[name]
    if (method === undefined) continue
    const ofMethod = { ...environment, path: rpc.path }
    implementation[name] = method(ofMethod)
    const codec = { decode: decoder(rpc.requestDeserialize), encode: rpc.responseSerialize, mostBytes }
    if (method.direct !== undefined) direct.set(rpc.path, method.direct(ofMethod, codec))
  }
  const unknown = Object.keys(service.methods).find((name) => definition[name] === undefined)
  if (unknown !== undefined)
    throw new TroupeError('internal', `no rpc ${unknown} in ${serviceName(service.definition)}`)
  server.addService(definition, implementation)
}

/** grpc-js answers INTERNAL to bytes that are no message; the caller is to blame, and is told so. */
function decoder(decode: (bytes: Buffer) => unknown): (bytes: Buffer) => unknown {
  return (bytes) => {
    try {
      return decode(bytes)
    } catch (error) {
      return new Undecodable(error instanceof Error ? error.message : String(error))
    }
  }
}

function bind(server: Server, options: GrpcServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(options.address, serverCredentials(options.tls), (cause, port) => {
      if (cause === null) resolve(port)
      else
        reject(
          new TroupeError('configuration_invalid', `cannot listen on ${options.address}: ${cause.message}`, { cause }),
        )
    })
  })
}

function serviceName(definition: ServiceDefinition): string {
  return Object.values(definition)[0]?.path.split('/')[1] ?? ''
}

function callCounter(metrics: Metrics | undefined): MethodEnvironment['onCall'] {
  if (metrics === undefined) return () => {}
  const calls = metrics.counter('troupe_grpc_calls_total', 'Calls answered, by method and status')
  const time = metrics.histogram('troupe_grpc_call_seconds', 'From the first byte of a call to its status')
  return (path, code, ms) => {
    calls({ method: path, status: status[code] })
    time({ method: path }, ms / 1_000)
  }
}
