// Where a worker is called, and with which files when its address begins with grpcs://.
import type { TlsFiles } from '../workers/grpc/tls.ts'

export interface WorkerAddress {
  address: string
  tls?: Partial<TlsFiles>
}

/** gRPC wants host and port; an address copied from elsewhere may carry a scheme. Only `grpcs` means TLS. */
export function workerAddress(url: string, tls: Partial<TlsFiles> = {}): WorkerAddress {
  const address = url.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '')
  return url.startsWith('grpcs://') ? { address, tls } : { address }
}

/** The worker's own files in its process; those of a caller in a caller's. */
export function tlsFiles(text: (name: string) => string | undefined, worker: 'INFERENCE' | 'RETRIEVAL') {
  const files = {
    certificate: text(`TROUPE_${worker}_TLS_CERT`),
    key: text(`TROUPE_${worker}_TLS_KEY`),
    ca: text(`TROUPE_${worker}_TLS_CA`),
  }
  return Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined)) as Partial<TlsFiles>
}
