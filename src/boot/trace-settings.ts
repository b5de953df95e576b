// Where traces go and which of them, from the environment: the OpenTelemetry names where they exist.
// TROUPE_OTLP_URL stands for OTEL_EXPORTER_OTLP_ENDPOINT; docs/guides/monitoring.md lists them all.
import { TroupeError } from '../contract/errors.ts'
import type { ExportOptions } from '../telemetry/index.ts'
import { type Environment, textOf } from './setting-values.ts'

/** Undefined: nothing is exported. */
export function readTraceSettings(environment: Environment, role: string): ExportOptions | undefined {
  const text = textOf(environment)
  if (text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || text('OTEL_TRACES_EXPORTER') === 'none') return undefined
  const base = text('TROUPE_OTLP_URL') ?? text('OTEL_EXPORTER_OTLP_ENDPOINT')
  const whole = text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT')
  if (base === undefined && whole === undefined) return undefined
  const options: ExportOptions = {
    service: text('OTEL_SERVICE_NAME') ?? `troupe-${role}`,
    url: address(whole, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? `${address(base, 'TROUPE_OTLP_URL')}/v1/traces`,
    ...sampler(text('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on', text('OTEL_TRACES_SAMPLER_ARG')),
    headers: pairs(text('OTEL_EXPORTER_OTLP_TRACES_HEADERS') ?? text('OTEL_EXPORTER_OTLP_HEADERS')),
    resource: pairs(text('OTEL_RESOURCE_ATTRIBUTES')),
    gzip: (text('OTEL_EXPORTER_OTLP_TRACES_COMPRESSION') ?? text('OTEL_EXPORTER_OTLP_COMPRESSION')) === 'gzip',
  }
  const label = text('TROUPE_LABEL')
  if (label !== undefined) options.resource = { 'service.instance.id': label, ...options.resource }
  const delayMs = milliseconds(text('OTEL_BSP_SCHEDULE_DELAY'), 'OTEL_BSP_SCHEDULE_DELAY')
  if (delayMs !== undefined) options.delayMs = delayMs
  const timeout = text('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT') ?? text('OTEL_EXPORTER_OTLP_TIMEOUT')
  const timeoutMs = milliseconds(timeout, 'OTEL_EXPORTER_OTLP_TIMEOUT')
  if (timeoutMs !== undefined) options.timeoutMs = timeoutMs
  return options
}

function sampler(name: string, argument: string | undefined): Pick<ExportOptions, 'share' | 'followsParent'> {
  const [, parentBased, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(name) ?? []
  if (kind === undefined)
    throw invalid(
      'OTEL_TRACES_SAMPLER',
      name,
      'always_on, always_off or traceidratio, also with parentbased_ before it',
    )
  const share = kind === 'always_on' ? 1 : kind === 'always_off' ? 0 : Number(argument ?? 1)
  if (!(share >= 0 && share <= 1)) throw invalid('OTEL_TRACES_SAMPLER_ARG', argument, 'a number from 0 to 1')
  return { share, followsParent: parentBased !== undefined }
}

/** `name=value,name=value`, values percent-encoded. */
function pairs(list = ''): Record<string, string> {
  const found: Record<string, string> = {}
  for (const entry of list.split(',')) {
    const at = entry.indexOf('=')
    if (at > 0) found[entry.slice(0, at).trim()] = decoded(entry.slice(at + 1).trim())
  }
  return found
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function address(url: string | undefined, name: string): string | undefined {
  if (url === undefined) return undefined
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url.replace(/\/$/, '')
  // The value may hold a password; only its name is told.
  throw new TroupeError('configuration_invalid', `${name} is not an address that begins with http:// or https://.`)
}

function milliseconds(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined
  const ms = Number(value)
  if (Number.isInteger(ms) && ms > 0) return ms
  throw invalid(name, value, 'a number of milliseconds')
}

function invalid(name: string, value: string | undefined, wanted: string): TroupeError {
  return new TroupeError('configuration_invalid', `${name} is ${value}; it must be ${wanted}.`)
}
