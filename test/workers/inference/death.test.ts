// Threads die (out of memory, a defect of a native library). Node tells of each thread it starts, so the tests can end one.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { floatRows } from '../../../src/workers/inference/index.ts'
import { scaleModel } from './support/models.ts'
import { row, type Scene, scene } from './support/worker.ts'

async function answerOf(stage: Scene): Promise<number> {
  const [y] = await stage.client.infer('scale', [row(1)])
  return floatRows(y!)[0]![0]!
}

test('a dead instance is replaced, and callers notice nothing but a delay', async () => {
  const threads: Worker[] = []
  const collect = (worker: Worker): void => void threads.push(worker)
  process.on('worker', collect)
  await using stage = await scene((models) => models.put('scale', '1', scaleModel(1)))
  const calls = Array.from({ length: 50 }, () => answerOf(stage))
  await threads[0]!.terminate()
  assert.deepEqual([...new Set(await Promise.all(calls))], [1])
  assert.equal(await answerOf(stage), 1)
  assert.ok(stage.events.some(({ type }) => type === 'instance_died'))
  assert.match(stage.worker.metrics.text(), /instance_deaths_total\{model="scale",version="1"\} 1/)
  process.off('worker', collect)
})

test('a version whose instances die again and again gives way to the version before it', async () => {
  const threads: Worker[] = []
  const collect = (worker: Worker): void => void threads.push(worker)
  process.on('worker', collect)
  await using stage = await scene((folder) => {
    folder.put('scale', '1', scaleModel(1))
    folder.put('scale', '2', scaleModel(2))
  })
  assert.equal(await answerOf(stage), 2)
  for (let death = 0; death < 4; death++) {
    const thread = threads[death]!
    const next = death < 3 ? once(process, 'worker') : undefined
    await thread.terminate()
    const [started] = ((await next) ?? []) as Worker[]
    if (started !== undefined) await once(started, 'message')
  }
  const failed = stage.events.find(({ type }) => type === 'failed')
  assert.ok(failed?.type === 'failed' && failed.version === '2')
  await stage.worker.scan()
  assert.equal(await answerOf(stage), 1)
  process.off('worker', collect)
})
