// The volume of the models is full while a version is added: by `troupe train`, and by whoever copies one there.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { registerModel, type TrainedModel, trainClassifier } from '../../../src/training/index.ts'
import { temporaryModels } from './support/models.ts'
import { scene } from './support/worker.ts'

const EXAMPLES = Array.from({ length: 80 }, (_, index) => ({
  text: index % 2 === 0 ? `amount due ${index}` : `party agrees ${index}`,
  label: index % 2 === 0 ? 'invoice' : 'contract',
}))

const train = (): Promise<TrainedModel> => trainClassifier(EXAMPLES, { name: 'kinds', source: 'test', features: 2048 })

/** A small volume of its own, emptied and removed after the test; undefined where nobody may mount one. */
function smallVolume(context: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-volume-'))
  let mounted = false
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder], { stdio: 'ignore' })
    mounted = true
  } catch {}
  context.after(() => {
    if (mounted) execFileSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return mounted ? folder : undefined
}

/** Takes what is left but some bytes; gives it back when called. */
function fill(volume: string, left: number): () => void {
  const path = join(volume, '.filling')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4_096)
  const blocks: number[] = []
  try {
    for (;;) blocks.push(writeSync(file, block))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  }
  closeSync(file)
  execFileSync('truncate', ['-s', `-${left}`, path])
  return () => rmSync(path)
}

test('registering: disk_full, nothing left behind, the version before serves on; with space it is registered', async (context) => {
  const volume = smallVolume(context)
  if (volume === undefined) return context.skip('mounting a small volume takes root')
  const trained = await train()
  await registerModel(volume, trained)
  await using stage = await scene(() => {}, { models: volume })
  const release = fill(volume, Math.floor(trained.onnx.length / 8_192) * 4_096)
  await assert.rejects(registerModel(volume, trained), { code: 'disk_full', message: /no space left .*kinds\/2$/ })
  assert.deepEqual(readdirSync(join(volume, 'kinds')), ['1'])
  await stage.worker.scan()
  assert.deepEqual(stage.worker.repository.readyVersions('kinds'), ['1'])
  assert.equal((await stage.client.classify('kinds', ['amount due']))[0]!.label, 'invoice')
  release()
  assert.equal((await registerModel(volume, trained)).version, '2')
  await stage.worker.scan()
  assert.deepEqual(stage.worker.repository.readyVersions('kinds'), ['2'])
})

test('copying: half a file is refused with its reason and serves nobody, until the copy is whole', async (context) => {
  const volume = smallVolume(context)
  if (volume === undefined) return context.skip('mounting a small volume takes root')
  const { onnx, card } = await train()
  const models = temporaryModels()
  context.after(() => models.clear())
  const put = (version: string): void => {
    const whole = models.put('kinds', version, onnx, card)
    execFileSync('cp', ['-r', whole, join(volume, 'kinds', version)], { stdio: 'ignore' })
  }
  execFileSync('mkdir', [join(volume, 'kinds')])
  put('1')
  await using stage = await scene(() => {}, { models: volume })
  const release = fill(volume, Math.floor(onnx.length / 8_192) * 4_096)
  assert.throws(() => put('2'))
  await stage.worker.scan()
  const refused = stage.events.find(({ type }) => type === 'refused')
  assert.ok(refused?.type === 'refused' && refused.version === '2' && refused.serving === '1')
  assert.equal(refused.error.code, 'model_invalid')
  assert.equal((await stage.client.classify('kinds', ['party agrees']))[0]!.label, 'contract')
  release()
  rmSync(join(volume, 'kinds', '2'), { recursive: true })
  put('2')
  await stage.worker.scan()
  assert.deepEqual(stage.worker.repository.readyVersions('kinds'), ['2'])
})
