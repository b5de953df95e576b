// TLS when configured: certificate and key of the server, and with `ca` also of its clients (mutual TLS).
import { readFileSync } from 'node:fs'
import { type ChannelCredentials, credentials, ServerCredentials } from '@grpc/grpc-js'
import { TroupeError } from '../../contract/errors.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  certificate: string
  key: string
  /** With it, a server demands client certificates signed by it; a client trusts servers signed by it. */
  ca?: string
}

export function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const pair = { cert_chain: read(tls.certificate), private_key: read(tls.key) }
  return ServerCredentials.createSsl(tls.ca === undefined ? null : read(tls.ca), [pair], tls.ca !== undefined)
}

export function clientCredentials(tls: Partial<TlsFiles> | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure()
  const ca = tls.ca === undefined ? null : read(tls.ca)
  const key = tls.key === undefined ? null : read(tls.key)
  const certificate = tls.certificate === undefined ? null : read(tls.certificate)
  return credentials.createSsl(ca, key, certificate)
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (cause) {
    throw new TroupeError('configuration_invalid', `TLS file ${path} cannot be read`, { cause })
  }
}
