// The expendable process: scans, loads and tries one model after another. A file that crashes onnxruntime, hangs it or
// eats the memory takes this process with it, and nothing else.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { type ErrorRecord, TroupeError, toErrorRecord } from '../../contract/errors.ts'
import { checkHealth } from './health-check.ts'
import { describe } from './model-folder.ts'
import { type ModelJson, sha256Of } from './model-json.ts'
import { type OnnxFacts, scanOnnx } from './onnx-scan.ts'
import { createRunner, type Provider, type Signature } from './runner.ts'

export type Stage = 'scan' | 'resources' | 'load' | 'health'

export interface ProbeRequest {
  folder: string
  providers: readonly Provider[]
  maxBytes: number
}

export type ProbeReport =
  | { ok: true; model: ModelJson; sha256: string; facts: OnnxFacts; signature: Signature }
  | { ok: false; stage: Stage; error: ErrorRecord }

// A session needs its weights about twice while it is being optimised.
const MEMORY_FACTOR = 2

async function probe({ folder, providers, maxBytes }: ProbeRequest): Promise<ProbeReport> {
  let stage: Stage = 'scan'
  try {
    const model = describe(folder)
    const path = join(folder, model.file)
    const size = statSync(path, { throwIfNoEntry: false })?.size
    if (size === undefined) throw new TroupeError('model_invalid', `${model.file} is missing`)
    if (size > maxBytes) throw new TroupeError('model_invalid', `${model.file} is ${size} bytes, at most ${maxBytes}`)
    const bytes = readFileSync(path)
    const sha256 = sha256Of(bytes)
    if (model.sha256 !== undefined && model.sha256 !== sha256) {
      throw new TroupeError('model_invalid', `${model.file} has hash ${sha256}, model.json says ${model.sha256}`)
    }
    const facts = scanOnnx(bytes, path)
    stage = 'resources'
    const needed = (size + facts.externalBytes) * MEMORY_FACTOR
    if (needed > freemem())
      throw new TroupeError('model_invalid', `needs ${needed} bytes of memory, ${freemem()} are free`)
    stage = 'load'
    const runner = await createRunner({ folder, model, providers, threads: 1 })
    try {
      stage = 'health'
      await checkHealth(runner)
    } finally {
      await runner.release()
    }
    return { ok: true, model, sha256, facts, signature: runner.signature }
  } catch (error) {
    return { ok: false, stage, error: toErrorRecord(error, 'model_invalid') }
  }
}

if (process.send !== undefined) {
  try {
    // When memory runs out, the kernel should choose this process.
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Not on Linux, or not allowed: then the kernel's own judgement has to do.
  }
  process.on('message', (request: ProbeRequest) => {
    void probe(request).then((report) => process.send?.(report))
  })
  process.on('disconnect', () => process.exit(0))
}
