// GET /metrics for Prometheus; nothing else is answered here.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TroupeError } from '../../contract/errors.ts'
import type { Metrics } from './metrics.ts'

export interface MetricsEndpoint {
  port: number
  stop(): Promise<void>
}

export async function startMetricsEndpoint(metrics: Metrics, address: string): Promise<MetricsEndpoint> {
  const at = address.lastIndexOf(':')
  const server = createServer((request, response) => {
    if (request.url !== '/metrics' || request.method !== 'GET') {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(metrics.text())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new TroupeError('configuration_invalid', `cannot listen on ${address} for metrics`, { cause })),
    )
    server.listen(Number(address.slice(at + 1)), address.slice(0, at), resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
