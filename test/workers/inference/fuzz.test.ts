// 2,000 mutated models, tensors and protobufs. Whatever comes in, the server answers with a result or a coded error,
// and a good request is answered after each of them as before.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { TroupeError } from '../../../src/contract/errors.ts'
import { CODE_TRAILER } from '../../../src/workers/grpc/status.ts'
import { decodeRequest, encodeRequest } from '../../../src/workers/inference/codec.ts'
import { DATATYPES } from '../../../src/workers/inference/model-json.ts'
import { createProbe } from '../../../src/workers/inference/probe.ts'
import { gatherModel, scaleModel, temporaryModels } from './support/models.ts'
import { transformer } from './support/transformer.ts'
import { row, scene } from './support/worker.ts'

const MODELS = 600
const TENSORS = 700
const PROTOBUFS = 700

/** A small generator with a seed: what failed once fails again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function mutate(original: Buffer, pick: (below: number) => number): Buffer {
  let bytes = Buffer.from(original)
  for (let times = 1 + pick(4); times > 0; times--) {
    const at = pick(bytes.length || 1)
    const kind = pick(5)
    if (kind === 0) bytes = bytes.subarray(0, at)
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(8))])
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(pick(at + 1), at), bytes.subarray(at)])
    else if (bytes.length > 0) bytes[at] = kind === 3 ? pick(256) : bytes[at]! ^ (1 << pick(8))
  }
  return bytes
}

test(`${MODELS} mutated models are refused with a reason or work, and none ends the process`, async () => {
  const models = temporaryModels()
  const probe = createProbe({ timeoutMs: 20_000 })
  const pick = random(1)
  const originals = [scaleModel(2), gatherModel(), transformer(3)]
  const folder = join(models.folder, 'mutant', '1')
  mkdirSync(folder, { recursive: true })
  const verdicts = new Map<string, number>()
  for (let round = 0; round < MODELS; round++) {
    writeFileSync(join(folder, 'model.onnx'), mutate(originals[round % 3]!, pick))
    const report = await probe.check({ folder, providers: ['cpu'], maxBytes: 1e6 })
    const verdict = report.ok ? 'works' : report.stage
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
    if (!report.ok) assert.ok(report.error.message.length > 0)
  }
  probe.close()
  models.clear()
  // A mutation of the weights is still a model; most others are caught before onnxruntime sees them.
  assert.ok((verdicts.get('scan') ?? 0) > 0 && (verdicts.get('works') ?? 0) > 0, JSON.stringify([...verdicts]))
})

test(`${TENSORS} mutated tensors are answered or refused with a code`, async () => {
  await using stage = await scene((models) => {
    models.put('double', '1', scaleModel(2))
    models.put('gather', '1', gatherModel())
  })
  const pick = random(2)
  const codes = new Set<string>()
  for (let round = 0; round < TENSORS; round++) {
    const tensor = {
      name: pick(10) === 0 ? String.fromCharCode(pick(65_536)) : pick(2) === 0 ? 'x' : 'index',
      datatype: DATATYPES[pick(DATATYPES.length)]!,
      shape: Array.from({ length: pick(4) }, () => [0, 1, 2, 3, 2 ** 31, -1, 2 ** 52][pick(7)]!),
      bytes: Buffer.from(Array.from({ length: pick(40) }, () => pick(256))),
    }
    const model = pick(2) === 0 ? 'double' : 'gather'
    try {
      await stage.client.infer(model, [tensor], { typed: pick(3) === 0 })
      codes.add('ok')
    } catch (error) {
      assert.ok(error instanceof TroupeError, String(error))
      assert.notEqual(error.code, 'internal', error.message)
      codes.add(error.code)
    }
  }
  assert.ok(codes.has('invalid_input'))
  assert.equal((await stage.client.infer('double', [row(1)])).length, 1)
})

test(`${PROTOBUFS} mutated protobufs are answered or refused with a code`, async () => {
  // Of a fixed width: what is still a request computes on the server's event loop.
  await using stage = await scene((models) => models.put('double', '1', scaleModel(2, 0, 2)))
  const client = new Client(`127.0.0.1:${stage.worker.port}`, credentials.createInsecure())
  const asIs = (bytes: Buffer): Buffer => bytes
  const pick = random(3)
  const request = { model: 'double', version: '', id: '1', parameters: { a: 1.5, b: 'c', d: true }, outputs: ['y'] }
  const originals = [false, true].map((typed) => encodeRequest({ ...request, inputs: [row(1, 2)], typed }))
  assert.deepEqual(decodeRequest(originals[0]!).parameters, request.parameters)
  for (let round = 0; round < PROTOBUFS; round++) {
    const bytes = mutate(originals[round % 2]!, pick)
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest('/inference.GRPCInferenceService/ModelInfer', asIs, asIs, bytes, resolve)
    })
    if (error === null) continue
    assert.notEqual(error.code, status.INTERNAL, error.details)
    assert.ok(error.metadata.get(CODE_TRAILER).length > 0, error.details)
  }
  client.close()
  assert.equal((await stage.client.infer('double', [row(1, 2)])).length, 1)
})
