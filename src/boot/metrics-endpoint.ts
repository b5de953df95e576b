// Where a process without doors is scraped and probed: GET /metrics, /healthz (it lives) and /readyz (it may get work).
// Plain HTTP on an address of its own; the worker's and the host's work go elsewhere. No credential, no tenant's data.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TroupeError } from '../contract/errors.ts'
import type { Measures } from './measures.ts'
import { hostAndPort } from './setting-values.ts'

export interface MetricsEndpoint {
  /** For the supervision tree: where to scrape. */
  facts: { metrics: string }
  stop(): Promise<void>
}

/** Undefined without an address: whoever does not scrape needs no port. */
export async function metricsEndpointOf(
  address: string | undefined,
  measures: Measures,
  isReady: () => boolean,
): Promise<MetricsEndpoint | undefined> {
  if (address === undefined) return undefined
  const { host, port } = hostAndPort(address, 'TROUPE_METRICS_ADDRESS')
  const server = createServer(async ({ method, url }, response) => {
    const answer = (status: number, text: string) =>
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
    if (method !== 'GET') return answer(405, 'Only GET is answered here.\n')
    if (url === '/metrics') return answer(200, await measures.text())
    if (url === '/healthz') return answer(200, 'alive\n')
    if (url === '/readyz') return isReady() ? answer(200, 'ready\n') : answer(503, 'not ready\n')
    return answer(404, 'Here are /metrics, /healthz and /readyz.\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE'
          ? new TroupeError('address_in_use', `${address} (TROUPE_METRICS_ADDRESS) is taken.`)
          : new TroupeError('configuration_invalid', `Nothing can listen on ${address}: ${cause.message}.`),
      ),
    )
    server.listen(port, host, resolve)
  })
  return {
    facts: { metrics: `${address.slice(0, address.lastIndexOf(':'))}:${(server.address() as AddressInfo).port}` },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
