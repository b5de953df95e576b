// What every worker's gRPC server has besides its own services: health, reflection, TLS, limits, drain, coded errors.
//   server.ts            startGrpcServer: bind, serve, drain, stop
//   methods.ts           the four shapes of an rpc as plain async functions; deadline and cancel as a signal
//   status.ts            TroupeError ↔ gRPC status, with the code in a trailer
//   health.ts            grpc.health.v1
//   reflection.ts        grpc.reflection.v1 and v1alpha
//   proto.ts             service definitions from protos/
//   trace.ts             continues the caller's trace
//   tls.ts               certificates
//   metrics.ts           counters and histograms as Prometheus text
//   internals.ts         grpc-js's private fields: receive windows wide enough for tensors, hot streams diverted to
//   direct-stream.ts     a stream over Node's HTTP/2 without grpc-js; message-reader.ts: its framing
//   message-stream.ts    a hot stream as methods see it, over either; gather-writes.ts: grpc-js's answers sent together
//   spare-buffers.ts     memory that messages and batches travel in, used again
//   connection.ts        a client's connection, and what is done when nothing is heard on it any more
//   breaker.ts           what clients retry, and when they stop: a budget and a breaker, one shape for both workers
//   wire.ts              the protobuf wire format, by hand
// Keeps P7 (cancel and deadline reach handlers as an abort signal), P8 (drain) and P9 (bad input is a coded error).
export { Breaker, type BreakerOptions } from './breaker.ts'
export { Connection } from './connection.ts'
export { Health } from './health.ts'
export type { MessageStream } from './message-stream.ts'
export {
  bidirectional,
  type Call,
  clientStream,
  duplex,
  type Method,
  serverStream,
  Undecodable,
  unary,
} from './methods.ts'
export { type Labels, Metrics } from './metrics.ts'
export { loadService } from './proto.ts'
export {
  type GrpcLimits,
  type GrpcServer,
  type GrpcServerOptions,
  type GrpcService,
  startGrpcServer,
} from './server.ts'
export { fromGrpcError, grpcStatusOf, toGrpcStatus } from './status.ts'
export { clientCredentials, type TlsFiles } from './tls.ts'
export { activeTraceparent, continueTrace } from './trace.ts'
