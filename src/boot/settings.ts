// The settings, from the environment. Only the files of this folder read it; every other room is given values.
import { resolve } from 'node:path'
import type { NatsOptions } from '../bus/nats/index.ts'
import { TroupeError } from '../contract/errors.ts'
import type { GatewayConfig } from '../gateway/config.ts'
import type { S3Options } from '../gateway/index.ts'
import type { LlmSettings } from '../host/llm.ts'
import type { TlsFiles } from '../workers/grpc/tls.ts'
import { bucketSettings } from './bucket-settings.ts'
import { gatewaySettings } from './gateway-settings.ts'
import {
  type Environment,
  graceOf,
  type LogLevel,
  list,
  logLevelOf,
  number,
  postgresPool,
  type Text,
  textOf,
  url,
} from './setting-values.ts'
import { tlsFiles, workerSilence } from './worker-address.ts'

export interface Settings {
  /** Where everything embedded is kept. */
  dataFolder: string
  host: string
  port: number
  /** Postgres and NATS together make a cluster; neither: embedded. */
  postgresUrl?: string
  natsUrl?: string
  /** Connections of each pool to Postgres. */
  postgresPool?: number
  /** Where documents are kept; absent: in the data folder, or in Postgres. */
  bucket?: S3Options
  /** Credentials, TLS and subject prefix of NATS. */
  nats?: Omit<NatsOptions, 'url'>
  redisUrl?: string
  /** Host processes of a cluster that `troupe up` starts on this machine. */
  hosts: number
  /** How long ended tasks are kept. */
  retentionMs: number
  /** What a host calls itself in the tree. */
  label: string
  inferenceUrl?: string
  retrievalUrl?: string
  /** For calls of workers whose address begins with grpcs://. */
  workerTls?: { inference: Partial<TlsFiles>; retrieval: Partial<TlsFiles> }
  /** Milliseconds without a word after which a worker is asked whether it is there; 0: never. */
  workerSilence?: { silenceMs?: number }
  otlpUrl?: string
  /** `host:port` where a host or a worker is scraped and probed; the gateway answers at its own. */
  metricsAddress?: string
  /** Where the root supervisor answers its children; absent in a process that runs alone. */
  supervisorUrl?: string
  llm?: LlmSettings
  /** What callers of the gateway meet. */
  gateway: Partial<GatewayConfig>
  /** What is let in and out, and where callbacks may lead: gateway/screening/policy.ts. */
  policyFile?: string
  /** A file of named databases that tasks may read. */
  sourcesFile?: string
  /** Addresses that documents may be read from; those of private networks apart. */
  documentUrls: { public: string[]; private: string[] }
  /** Agent packages besides those in `agents/` and in the data folder: paths, separated by commas. */
  agentPaths: string[]
  logLevel: LogLevel
  /** Milliseconds that running steps get when this process is told to stop. */
  graceMs: number
  /** Milliseconds without an answer after which `troupe up` replaces a process; 0: never. */
  hangMs: number
}

export function readSettings(environment: Environment = process.env): Settings {
  const text = textOf(environment)
  const port = number(text('TROUPE_PORT'), 'TROUPE_PORT', 8000)
  const settings: Settings = {
    dataFolder: resolve(text('TROUPE_DATA') ?? '.troupe'),
    hosts: number(text('TROUPE_HOSTS'), 'TROUPE_HOSTS', 2),
    retentionMs: number(text('TROUPE_RETENTION_DAYS'), 'TROUPE_RETENTION_DAYS', 30) * 86_400_000,
    label: text('TROUPE_LABEL') ?? 'host',
    host: text('TROUPE_HOST') ?? '127.0.0.1',
    port,
    agentPaths: list(text('TROUPE_AGENTS')),
    documentUrls: {
      public: list(text('TROUPE_DOCUMENT_URLS')),
      private: list(text('TROUPE_DOCUMENT_URLS_PRIVATE')),
    },
    logLevel: logLevelOf(text, 'warn'),
    graceMs: graceOf(text),
    hangMs: number(text('TROUPE_HANG_MS'), 'TROUPE_HANG_MS', 20_000),
    gateway: gatewaySettings(text),
  }
  const urls = {
    postgresUrl: url(text('TROUPE_POSTGRES_URL'), 'TROUPE_POSTGRES_URL', ['postgres:', 'postgresql:']),
    natsUrl: url(text('TROUPE_NATS_URL'), 'TROUPE_NATS_URL', ['nats:', 'tls:']),
    redisUrl: url(text('TROUPE_REDIS_URL'), 'TROUPE_REDIS_URL', ['redis:', 'rediss:']),
    otlpUrl: url(text('TROUPE_OTLP_URL'), 'TROUPE_OTLP_URL', ['http:', 'https:']),
    supervisorUrl: url(text('TROUPE_SUPERVISOR_URL'), 'TROUPE_SUPERVISOR_URL', ['http:']),
    inferenceUrl: text('TROUPE_INFERENCE_URL'),
    retrievalUrl: text('TROUPE_RETRIEVAL_URL'),
    metricsAddress: text('TROUPE_METRICS_ADDRESS'),
    sourcesFile: text('TROUPE_SOURCES'),
    policyFile: text('TROUPE_POLICY'),
  }
  for (const [name, value] of Object.entries(urls)) if (value !== undefined) Object.assign(settings, { [name]: value })
  if ((settings.postgresUrl === undefined) !== (settings.natsUrl === undefined)) {
    throw new TroupeError(
      'configuration_invalid',
      'A cluster needs both TROUPE_POSTGRES_URL and TROUPE_NATS_URL; embedded needs neither. Only one of them is set.',
    )
  }
  settings.workerSilence = workerSilence(text)
  settings.workerTls = { inference: tlsFiles(text, 'INFERENCE'), retrieval: tlsFiles(text, 'RETRIEVAL') }
  const bucket = bucketSettings(text, settings.gateway.maxDocumentBytes)
  if (bucket !== undefined) settings.bucket = bucket
  const pool = postgresPool(text)
  if (pool !== undefined) settings.postgresPool = pool
  const nats = natsSettings(text)
  if (nats !== undefined) settings.nats = nats
  const baseUrl = url(text('TROUPE_LLM_BASE_URL'), 'TROUPE_LLM_BASE_URL', ['http:', 'https:'])
  const model = text('TROUPE_LLM_MODEL')
  if ((baseUrl === undefined) !== (model === undefined)) {
    throw new TroupeError(
      'configuration_invalid',
      'A language model needs both TROUPE_LLM_BASE_URL and TROUPE_LLM_MODEL. Only one of them is set.',
    )
  }
  if (baseUrl !== undefined && model !== undefined) {
    const apiKey = text('TROUPE_LLM_API_KEY')
    const input = number(text('TROUPE_LLM_PRICE_INPUT'), 'TROUPE_LLM_PRICE_INPUT', 0)
    const output = number(text('TROUPE_LLM_PRICE_OUTPUT'), 'TROUPE_LLM_PRICE_OUTPUT', 0)
    settings.llm = { baseUrl, model, price: { input, output }, ...(apiKey === undefined ? {} : { apiKey }) }
  }
  return settings
}

function natsSettings(text: Text): Settings['nats'] {
  const nats: NonNullable<Settings['nats']> = {}
  const prefix = text('TROUPE_NATS_PREFIX')
  if (prefix !== undefined) nats.prefix = prefix
  const credentialsFile = text('TROUPE_NATS_CREDENTIALS')
  if (credentialsFile !== undefined) nats.credentialsFile = credentialsFile
  const files = { caFile: text('TROUPE_NATS_CA'), certFile: text('TROUPE_NATS_CERT'), keyFile: text('TROUPE_NATS_KEY') }
  const tls = Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined))
  if (Object.keys(tls).length > 0) nats.tls = tls
  return Object.keys(nats).length > 0 ? nats : undefined
}
