import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'
import { loadService } from '../../../src/workers/grpc/index.ts'
import { WireWriter } from '../../../src/workers/grpc/wire.ts'
import { type AnyClient, call, connect, startEcho, type Text } from './support/echo.ts'

interface Reflected {
  file_descriptor_response?: { file_descriptor_proto: Buffer[] }
  list_services_response?: { service: { name: string }[] }
  error_response?: { error_code: number }
}

async function ask(client: AnyClient, request: object): Promise<Reflected> {
  const stream = client.ServerReflectionInfo()
  const answered = once(stream, 'data')
  stream.write(request)
  const [answer] = (await answered) as [Reflected]
  const ended = once(stream, 'end')
  stream.end()
  await ended
  return answer
}

/** FileDescriptorSet: file 1. */
function descriptorSet(files: Buffer[]): Buffer {
  const writer = new WireWriter()
  for (const file of files) writer.bytes(1, file)
  return writer.finish()
}

for (const [file, version] of [
  ['reflection.proto', 'v1'],
  ['reflection-v1alpha.proto', 'v1alpha'],
] as const) {
  test(`a client with nothing but ${version} reflection can build and call a service`, async () => {
    const server = await startEcho()
    const reflection = connect(loadService(file, `grpc.reflection.${version}.ServerReflection`), server.port)
    const listed = await ask(reflection, { list_services: '*' })
    const names = listed.list_services_response?.service.map(({ name }) => name)
    assert.ok(names?.includes('troupe.test.Echo') && names.includes('grpc.health.v1.Health'))
    const found = await ask(reflection, { file_containing_symbol: 'troupe.test.Echo.One' })
    const files = found.file_descriptor_response?.file_descriptor_proto ?? []
    assert.equal(files.length, 1)
    const definitions = loadFileDescriptorSetFromBuffer(descriptorSet(files))
    const client = connect(definitions['troupe.test.Echo'] as ServiceDefinition, server.port)
    assert.equal((await call<Text>(client, 'One', { text: 'reflected' })).text, 'reflected')
    client.close()
    reflection.close()
    await server.stop()
  })
}

test('nested messages and enums are found, unknown symbols are answered with an error', async () => {
  const server = await startEcho()
  const reflection = connect(loadService('reflection.proto', 'grpc.reflection.v1.ServerReflection'), server.port)
  const nested = await ask(reflection, { file_containing_symbol: 'troupe.test.Text.Inner' })
  assert.equal(nested.file_descriptor_response?.file_descriptor_proto.length, 1)
  const colour = await ask(reflection, { file_containing_symbol: 'troupe.test.Text.Colour' })
  assert.equal(colour.file_descriptor_response?.file_descriptor_proto.length, 1)
  const unknown = await ask(reflection, { file_containing_symbol: 'troupe.test.Nobody' })
  assert.equal(unknown.error_response?.error_code, 5)
  reflection.close()
  await server.stop()
})
