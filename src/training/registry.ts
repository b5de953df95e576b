// The repository of models on disk, as the inference worker reads it: models/<name>/<version>/{model.onnx,model.json}.
// A new version appears whole or not at all, and becomes the one that serves only if it is not worse than the live one.
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TroupeError } from '../contract/errors.ts'
import { parseModelJson } from '../workers/inference/model-json.ts'
import type { TrainedModel } from './classifier.ts'
import { halvesMeet } from './halves.ts'
import { largest, round } from './measure.ts'
import type { ModelCard, Promotion } from './model-card.ts'
import { openModel } from './run-model.ts'
import type { Example } from './split.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/
// Begins with a dot, so the worker takes it neither for a version nor for a model.
const HELD_BACK = '.held-back'

export interface Registration {
  version: string
  folder: string
  promotion: Promotion
}

export interface LiveModel {
  version: string
  folder: string
  card: ModelCard
}

export async function registerModel(repository: string, trained: TrainedModel): Promise<Registration> {
  const { name } = trained
  if (!NAME.test(name)) {
    throw new TroupeError('invalid_input', `“${name}” is no model name: lower-case letters, digits and hyphens`)
  }
  const home = join(repository, name)
  const live = await liveModel(repository, name)
  const promotion = await decide(trained, live)
  const taken = [...(await versionsIn(home)), ...(await versionsIn(join(home, HELD_BACK)))]
  const version = String(Math.max(0, ...taken) + 1)
  const lineage = { ...trained.card.lineage, promotion }
  if (live !== undefined) lineage.parent = { version: live.version, sha256: live.card.sha256 }
  const folder = promotion.promoted ? join(home, version) : join(home, HELD_BACK, version)
  await writeModel(folder, { ...trained.card, lineage }, trained.onnx)
  return { version, promotion, folder }
}

/** Holds the newest version back by one rename: a worker that watches the folder serves the one before it again. */
export async function rollBack(repository: string, name: string): Promise<{ from: string; to: string }> {
  const home = join(repository, name)
  const [before, newest] = (await versionsIn(home)).slice(-2)
  if (before === undefined) throw new TroupeError('model_not_found', `no model “${name}” in ${repository}`)
  if (newest === undefined) {
    throw new TroupeError('wrong_state', `“${name}” has only version ${before}: there is none to go back to`)
  }
  await mkdir(join(home, HELD_BACK), { recursive: true })
  await rename(join(home, String(newest)), join(home, HELD_BACK, String(newest)))
  return { from: String(newest), to: String(before) }
}

/** Puts a version in place by one rename: a worker that watches the folder never sees half a model. */
export async function writeModel(folder: string, card: ModelCard, onnx: Buffer): Promise<void> {
  const unfinished = join(dirname(folder), `.${basename(folder)}-${process.pid}`)
  try {
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    await writeDown(join(unfinished, 'model.onnx'), onnx)
    await writeDown(join(unfinished, 'model.json'), `${JSON.stringify(card, null, 1)}\n`)
    await rename(unfinished, folder)
  } catch (error) {
    // Half a model must not keep the space that its successor needs.
    await rm(unfinished, { recursive: true, force: true })
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
    throw new TroupeError('disk_full', `no space left for the model in ${folder}`, { cause: error })
  }
}

/** On the disk before the rename that makes it visible: a power failure must not leave a version of empty files. */
async function writeDown(path: string, content: Buffer | string): Promise<void> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The newest version in the repository: what the worker serves when a client names none. */
export async function liveModel(repository: string, name: string): Promise<LiveModel | undefined> {
  const newest = (await versionsIn(join(repository, name))).at(-1)
  if (newest === undefined) return undefined
  const folder = join(repository, name, String(newest))
  return { version: String(newest), folder, card: await readCard(join(folder, 'model.json')) }
}

async function versionsIn(folder: string): Promise<number[]> {
  const entries = await readdir(folder).catch(() => [])
  return entries
    .filter((entry) => /^[1-9]\d*$/.test(entry))
    .map(Number)
    .sort((a, b) => a - b)
}

async function readCard(file: string): Promise<ModelCard> {
  const card = parseModelJson(await readFile(file, 'utf8'), file)
  if (card.kind === 'tensor' || card.featuriser?.kind !== 'ngrams' || card.sha256 === undefined) {
    throw new TroupeError('wrong_state', `${file} was not written by troupe train; choose another name`)
  }
  return card as ModelCard
}

async function decide(trained: TrainedModel, live: LiveModel | undefined): Promise<Promotion> {
  const score = await heldOutScore(trained.onnx, trained.card, trained.heldOut)
  if (live === undefined) return { promoted: true, reason: 'the first version', score }
  if (live.card.kind !== trained.card.kind) {
    throw new TroupeError('wrong_state', `${trained.name} is a ${live.card.kind}, not a ${trained.card.kind}`)
  }
  const file = join(live.folder, 'model.onnx')
  const before = { version: live.version, score: await heldOutScore(file, live.card, trained.heldOut) }
  const promoted = score >= before.score
  const comparison = `${score} against ${before.score} of version ${live.version} on ${trained.heldOut.length} held-out texts`
  return { promoted, reason: `${promoted ? 'not worse' : 'worse'}: ${comparison}`, live: before, score }
}

/** Accuracy of a classifier; of an embedder, how many texts have halves that meet. */
async function heldOutScore(file: Buffer | string, card: ModelCard, examples: readonly Example[]): Promise<number> {
  if (examples.length === 0) return 0
  const texts = examples.map(({ text }) => text)
  const model = await openModel(file, card.featuriser)
  try {
    if (card.labels === undefined) return round(await halvesMeet(texts, model.run))
    const { labels } = card
    const rows = await model.run(texts)
    return round(rows.filter((row, at) => labels[largest(row)] === examples[at]!.label).length / examples.length)
  } finally {
    await model.close()
  }
}
