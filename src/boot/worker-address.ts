// Where a worker is called, with which files when its address begins with grpcs://, and how long its silence is borne.
import { TroupeError } from '../contract/errors.ts'
import type { TlsFiles } from '../workers/grpc/tls.ts'
import { positive, type Text } from './setting-values.ts'

export interface WorkerAddress {
  address: string
  tls?: Partial<TlsFiles>
}

/** gRPC wants host and port; an address copied from elsewhere may carry a scheme. Only `grpcs` means TLS. */
export function workerAddress(url: string, tls: Partial<TlsFiles> = {}): WorkerAddress {
  const address = url.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '')
  return url.startsWith('grpcs://') ? { address, tls } : { address }
}

/** Undefined: as long as the clients think right. */
export function workerSilence(text: Text): { silenceMs?: number } {
  const name = 'TROUPE_WORKER_SILENCE_MS'
  if (text(name) === undefined) return {}
  return { silenceMs: text(name) === '0' ? 0 : positive(text, name, 1, 3_600_000) }
}

/** The worker's own files in its process; those of a caller in a caller's. */
export function tlsFiles(text: Text, worker: 'INFERENCE' | 'RETRIEVAL'): Partial<TlsFiles> {
  const files = {
    certificate: text(`TROUPE_${worker}_TLS_CERT`),
    key: text(`TROUPE_${worker}_TLS_KEY`),
    ca: text(`TROUPE_${worker}_TLS_CA`),
  }
  if ((files.certificate === undefined) !== (files.key === undefined)) {
    // Taken for neither, a worker would answer everyone in the clear.
    const both = `TROUPE_${worker}_TLS_CERT and TROUPE_${worker}_TLS_KEY`
    throw new TroupeError('configuration_invalid', `${both} belong together; only one of them is set.`)
  }
  return Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined))
}

/** For the worker's own process: TLS when it has a certificate. */
export function ownTls(text: Text, worker: 'INFERENCE' | 'RETRIEVAL'): { tls?: TlsFiles } {
  const { certificate, key, ca } = tlsFiles(text, worker)
  if (certificate === undefined || key === undefined) {
    if (ca === undefined) return {}
    const message = `TROUPE_${worker}_TLS_CA demands certificates of callers, which TLS alone can: set TROUPE_${worker}_TLS_CERT and TROUPE_${worker}_TLS_KEY too.`
    throw new TroupeError('configuration_invalid', message)
  }
  return { tls: ca === undefined ? { certificate, key } : { certificate, key, ca } }
}
