import assert from 'node:assert/strict'
import { appendFileSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { floatRows, type InferenceClient, sha256Of } from '../../../src/workers/inference/index.ts'
import { scanOnnx } from '../../../src/workers/inference/onnx-scan.ts'
import { editOnnx } from './support/edit-onnx.ts'
import { scaleModel, TINY_FEATURISER } from './support/models.ts'
import { row, type Scene, scene } from './support/worker.ts'

async function factorOf(client: InferenceClient, version?: string): Promise<number> {
  const [y] = await client.infer('scale', [row(1)], version === undefined ? {} : { version })
  return floatRows(y!)[0]![0]!
}

/** Why version 2 was refused; version 1 must still answer. */
async function refusal(stage: Scene): Promise<{ stage: string; message: string }> {
  await stage.worker.scan()
  const event = stage.events.find(({ type }) => type === 'refused')
  assert.ok(event?.type === 'refused' && event.version === '2', 'version 2 was refused')
  assert.equal(event.serving, '1')
  assert.equal(await factorOf(stage.client), 1, 'version 1 goes on')
  return { stage: event.stage, message: event.error.message }
}

test('a version passes every stage, in order, before it is available', async () => {
  await using stage = await scene((models) => models.put('scale', '1', scaleModel(1)))
  const stages = stage.events.map((event) => (event.type === 'stage' ? event.stage : event.type))
  assert.deepEqual(stages, ['registry', 'scan', 'resources', 'load', 'health', 'available'])
})

test('a new version takes over while calls are under way, and none of them fails', async () => {
  await using stage = await scene((models) => models.put('scale', '9', scaleModel(9)))
  const seen = new Set<number>()
  let going = true
  const caller = (async () => {
    while (going) seen.add(await factorOf(stage.client))
  })()
  stage.models.put('scale', '10', scaleModel(10))
  await stage.worker.scan()
  assert.equal(await factorOf(stage.client), 10)
  going = false
  await caller
  assert.ok(seen.has(9))
  await assert.rejects(factorOf(stage.client, '9'), { code: 'model_not_found' })
})

test('keepVersions serves several versions by name, the newest by default', async () => {
  await using stage = await scene(
    (models) => {
      for (const version of ['1', '2', '10']) models.put('scale', version, scaleModel(Number(version)))
    },
    { keepVersions: 2 },
  )
  assert.equal(await factorOf(stage.client), 10)
  assert.equal(await factorOf(stage.client, '2'), 2)
  await assert.rejects(factorOf(stage.client, '1'), { code: 'model_not_found' })
})

test('a version that disappears from disk is unloaded, and the one before it comes back', async () => {
  await using stage = await scene((models) => {
    models.put('scale', '1', scaleModel(1))
    models.put('scale', '2', scaleModel(2))
  })
  assert.equal(await factorOf(stage.client), 2)
  stage.models.remove('scale', '2')
  await stage.worker.scan()
  assert.equal(await factorOf(stage.client), 1)
})

test('a repository whose folder vanishes goes on serving, and is looked at again when it is back', async () => {
  await using stage = await scene((models) => models.put('scale', '1', scaleModel(2)))
  const { folder } = stage.models
  renameSync(folder, `${folder}-away`)
  await stage.worker.scan()
  const [served] = await stage.client.infer('scale', [row(3)])
  assert.equal(floatRows(served!)[0]![0], 6)
  renameSync(`${folder}-away`, folder)
  stage.models.put('scale', '2', scaleModel(5))
  await stage.worker.scan()
  const [newer] = await stage.client.infer('scale', [row(3)])
  assert.equal(floatRows(newer!)[0]![0], 15)
})

test('a refused version is tried again when its files change, not before', async () => {
  await using stage = await scene((models) => models.put('scale', '1', scaleModel(1)))
  stage.models.put('scale', '2', Buffer.from('no model'))
  await stage.worker.scan()
  await stage.worker.scan()
  assert.equal(stage.events.filter(({ type }) => type === 'refused').length, 1)
  stage.models.put('scale', '2', scaleModel(2))
  await stage.worker.scan()
  assert.equal(await factorOf(stage.client), 2)
})

test('a version whose files change is loaded anew; when they are bad, what was loaded goes on', async () => {
  await using stage = await scene((models) => models.put('scale', '1', scaleModel(1)))
  stage.models.put('scale', '1', scaleModel(3, 0, 1))
  await stage.worker.scan()
  assert.equal(await factorOf(stage.client), 3)
  stage.models.put('scale', '1', Buffer.from('no model'))
  await stage.worker.scan()
  await stage.worker.scan()
  assert.equal(await factorOf(stage.client), 3)
  assert.equal(stage.events.filter(({ type }) => type === 'refused').length, 1)
})

test('the reason of a refusal is in the index and in the answer to a load', async () => {
  await using stage = await scene((models) => models.put('scale', '1', Buffer.from('no model')))
  const [entry] = await stage.client.models()
  assert.equal(entry?.state, 'UNAVAILABLE')
  assert.match(entry?.reason ?? '', /truncated or damaged/)
  await assert.rejects(stage.client.load('scale'), { code: 'model_invalid', message: /refused at scan/ })
})

const bad: [string, RegExp, (stage: Scene) => void][] = [
  [
    'a truncated file',
    /scan: .*truncated or damaged/,
    (stage) => {
      truncateSync(join(stage.models.put('scale', '2', scaleModel(2)), 'model.onnx'), 60)
    },
  ],
  ['an empty file', /scan: .*no graph/, (stage) => void stage.models.put('scale', '2', Buffer.alloc(0))],
  [
    'a wrong hash',
    /scan: .*has hash/,
    (stage) => {
      const folder = stage.models.put('scale', '2', scaleModel(2), { kind: 'tensor', sha256: sha256Of(scaleModel(2)) })
      appendFileSync(join(folder, 'model.onnx'), Buffer.from([0x12, 0x00]))
    },
  ],
  [
    'a broken model.json',
    /scan: .*not JSON/,
    (stage) => {
      writeFileSync(join(stage.models.put('scale', '2', scaleModel(2)), 'model.json'), '{')
    },
  ],
  [
    'a model.json that leads out of its folder',
    /scan: .*inside the model/,
    (stage) => {
      stage.models.put('scale', '2', scaleModel(2), { kind: 'tensor', file: '../1/model.onnx' })
    },
  ],
  [
    'a custom operator',
    /scan: .*custom operators of “evil.com”/,
    (stage) => {
      stage.models.put('scale', '2', editOnnx(scaleModel(2), { domain: 'evil.com' }))
    },
  ],
  [
    'external data outside the folder',
    /scan: .*lies outside/,
    (stage) => {
      stage.models.put('scale', '2', editOnnx(scaleModel(2), { external: '../../../../etc/passwd' }))
    },
  ],
  [
    'external data behind a link that leads outside',
    /scan: .*leads outside/,
    (stage) => {
      const folder = stage.models.put('scale', '2', editOnnx(scaleModel(2), { external: 'weights.bin' }))
      symlinkSync('/etc/passwd', join(folder, 'weights.bin'))
    },
  ],
  [
    'external data that is missing',
    /scan: .*is missing/,
    (stage) => {
      stage.models.put('scale', '2', editOnnx(scaleModel(2), { external: 'weights.bin' }))
    },
  ],
  [
    'an ancient operator set',
    /scan: .*operator set 3/,
    (stage) => {
      stage.models.put('scale', '2', editOnnx(scaleModel(2), { opset: 3 }))
    },
  ],
  [
    'an operator that does not exist',
    /load: .*onnxruntime does not load it/,
    (stage) => {
      stage.models.put('scale', '2', editOnnx(scaleModel(2), { operator: 'Mulx' }))
    },
  ],
  [
    'a model that fails its health check',
    /health: .*labels/,
    (stage) => {
      const labels = ['a', 'b']
      stage.models.put('scale', '2', scaleModel(2, 0, 8), {
        kind: 'text-classifier',
        labels,
        featuriser: TINY_FEATURISER,
      })
    },
  ],
]

for (const [what, expected, prepare] of bad) {
  test(`${what} is refused and the version before it goes on`, async () => {
    await using stage = await scene((models) => models.put('scale', '1', scaleModel(1)))
    prepare(stage)
    const refused = await refusal(stage)
    assert.match(`${refused.stage}: ${refused.message}`, expected)
  })
}

test('a file over the size limit is refused before it is read', async () => {
  await using stage = await scene((models) => models.put('scale', '1', scaleModel(1)), { maxModelBytes: 1_000 })
  stage.models.put('scale', '2', Buffer.alloc(2_000))
  const refused = await refusal(stage)
  assert.match(refused.message, /2000 bytes, at most 1000/)
})

test('external data inside the folder is loaded; without a length all of it counts', async () => {
  const model = editOnnx(scaleModel(5), { external: 'weights.bin' })
  await using stage = await scene((models) => {
    const folder = models.put('scale', '1', model)
    writeFileSync(join(folder, 'weights.bin'), Buffer.from(Float32Array.of(7).buffer))
    assert.equal(scanOnnx(model, join(folder, 'model.onnx')).externalBytes, 4)
  })
  assert.equal(await factorOf(stage.client), 7)
})
