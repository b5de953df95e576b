// Which of OpenTelemetry's variables are understood, and what becomes of wrong ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTraceSettings } from '../../src/boot/trace-settings.ts'

const COLLECTOR = { TROUPE_OTLP_URL: 'http://jaeger:4318/' }

test('without a collector, or switched off, nothing is exported', () => {
  assert.equal(readTraceSettings({}, 'host'), undefined)
  assert.equal(readTraceSettings({ ...COLLECTOR, OTEL_SDK_DISABLED: 'true' }, 'host'), undefined)
  assert.equal(readTraceSettings({ ...COLLECTOR, OTEL_TRACES_EXPORTER: 'none' }, 'host'), undefined)
})

test('the address is a base, or a whole one by the name for traces', () => {
  const url = (environment: Record<string, string>) => readTraceSettings(environment, 'host')?.url
  assert.equal(url(COLLECTOR), 'http://jaeger:4318/v1/traces')
  assert.equal(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:4318' }), 'https://c:4318/v1/traces')
  assert.equal(url({ ...COLLECTOR, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/x' }), 'http://c/x')
})

test('sampler, headers, resource and times are taken', () => {
  const settings = readTraceSettings(
    {
      ...COLLECTOR,
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x,b=c',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      OTEL_BSP_SCHEDULE_DELAY: '250',
      TROUPE_LABEL: 'host-1',
    },
    'host',
  )!
  assert.deepEqual([settings.share, settings.followsParent, settings.delayMs], [0.25, false, 250])
  assert.deepEqual(settings.headers, { authorization: 'Bearer x', b: 'c' })
  assert.deepEqual(settings.resource, { 'service.instance.id': 'host-1', 'deployment.environment': 'test' })
  assert.equal(settings.service, 'troupe-host')
})

test('what is wrong is refused by its name, and an address is not repeated', () => {
  const wrong = (environment: Record<string, string>, message: RegExp) =>
    assert.throws(() => readTraceSettings({ ...COLLECTOR, ...environment }, 'host'), {
      code: 'configuration_invalid',
      message,
    })
  wrong({ OTEL_TRACES_SAMPLER: 'sometimes' }, /OTEL_TRACES_SAMPLER is sometimes/)
  wrong({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, /OTEL_TRACES_SAMPLER_ARG is 2/)
  wrong({ OTEL_BSP_SCHEDULE_DELAY: 'soon' }, /OTEL_BSP_SCHEDULE_DELAY/)
  wrong({ TROUPE_OTLP_URL: 'grpc://user:secret@jaeger' }, /^(?!.*secret).*TROUPE_OTLP_URL/)
})
