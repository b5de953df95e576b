// troupe train classifier|embedder; rollback to the version before; --builtin: the models that ship, made again bit for
// bit.
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { TroupeError } from '../contract/errors.ts'
import {
  type Registration,
  readTable,
  registerModel,
  rollBack,
  type TrainedModel,
  type TrainingProgress,
  trainBuiltinModels,
  trainClassifier,
  trainEmbedder,
} from '../training/index.ts'

export const TRAIN_USAGE = `troupe train classifier --data <file.csv|tsv|jsonl> --name <name> [--text text] [--label label]
                        [--out models] [--seed 1] [--held-out 0.1] [--features 65536]
troupe train embedder   --corpus <file.csv|tsv|jsonl> --name <name> [--text text] [--label column of what belongs together]
                        [--out models] [--seed 1]
troupe train rollback   --name <name> [--out models]      serve the version before the newest again
troupe train --builtin  [--out models]      the models that ship with Troupe, from the project’s own texts`

export async function trainCommand(args: string[]): Promise<void> {
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    console.log(TRAIN_USAGE)
    return
  }
  const { values, positionals } = parse(args)
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort(new TroupeError('cancelled', 'training was interrupted'))
  process.once('SIGINT', interrupt)
  const onProgress = showProgress()
  const shared = { signal: interrupted.signal, onProgress, seed: whole(values.seed, 'seed', 0, 2 ** 32 - 1) }
  try {
    if (values.builtin) {
      for (const { name, folder, bytes } of await trainBuiltinModels(values.out, shared)) {
        console.log(`${name}: ${folder} (${bytes} bytes)`)
      }
      return
    }
    const name = required(values.name, 'name')
    if (positionals[0] === 'rollback') {
      const { from, to } = await rollBack(values.out, name)
      console.log(`${name}: version ${to} is the newest again; version ${from} is held back`)
    } else if (positionals[0] === 'classifier') {
      const file = required(values.data, 'data')
      const [text, label] = [values.text, values.label ?? 'label']
      const examples = (await readTable(file)).map((row) => ({ text: column(row, text), label: column(row, label) }))
      const trained = await trainClassifier(examples, {
        ...shared,
        name,
        source: basename(file),
        heldOut: number(values['held-out'], 'held-out', 0, 0.5),
        features: whole(values.features, 'features', 1, 2 ** 20),
      })
      report(trained, await registerModel(values.out, trained))
    } else if (positionals[0] === 'embedder') {
      const file = required(values.corpus, 'corpus')
      const { text, label } = values
      const texts = (await readTable(file)).map((row, index) => ({
        text: column(row, text),
        label: label === undefined ? String(index) : column(row, label),
      }))
      const trained = await trainEmbedder(texts, { ...shared, name, source: basename(file) })
      report(trained, await registerModel(values.out, trained))
    } else {
      throw new TroupeError('invalid_command', `troupe train what?\n${TRAIN_USAGE}`)
    }
  } finally {
    process.removeListener('SIGINT', interrupt)
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        corpus: { type: 'string' },
        text: { type: 'string', default: 'text' },
        label: { type: 'string' },
        name: { type: 'string' },
        out: { type: 'string', default: 'models' },
        seed: { type: 'string', default: '1' },
        'held-out': { type: 'string', default: '0.1' },
        features: { type: 'string', default: '65536' },
        builtin: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new TroupeError('invalid_command', `${(error as Error).message}\n${TRAIN_USAGE}`)
  }
}

function report(trained: TrainedModel, { version, folder, promotion }: Registration): void {
  const { accuracy, macroF1, halvesMeet, examples } = trained.card.metrics as Record<string, number | undefined>
  const measured = accuracy === undefined ? `halves meet ${halvesMeet}` : `accuracy ${accuracy}, macro-F1 ${macroF1}`
  console.log(`${trained.name} version ${version}: ${measured} on ${examples} held-out texts`)
  console.log(`${promotion.promoted ? 'promoted' : 'held back'}: ${promotion.reason}`)
  console.log(folder)
}

/** One line that rewrites itself on a terminal; on a pipe, one line a stage. */
function showProgress(): (progress: TrainingProgress) => void {
  let stage = ''
  return (progress) => {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\u001b[K${progress.stage} ${progress.done}/${progress.of}`)
      if (progress.done === progress.of) process.stderr.write('\r\u001b[K')
    } else if (stage !== progress.stage) {
      process.stderr.write(`${progress.stage}\n`)
    }
    stage = progress.stage
  }
}

function required(value: string | undefined, option: string): string {
  if (value === undefined) throw new TroupeError('invalid_command', `--${option} is missing\n${TRAIN_USAGE}`)
  return value
}

function column(row: Record<string, string>, name: string): string {
  const value = row[name]
  if (value !== undefined) return value
  throw new TroupeError('invalid_command', `the data has no column “${name}”, only ${Object.keys(row).join(', ')}`)
}

function number(value: string, option: string, least: number, most: number): number {
  const parsed = Number(value)
  if (value.trim() !== '' && parsed >= least && parsed <= most) return parsed
  throw new TroupeError('invalid_command', `--${option} ${value} is not a number from ${least} to ${most}`)
}

function whole(value: string, option: string, least: number, most: number): number {
  const parsed = number(value, option, least, most)
  if (Number.isInteger(parsed)) return parsed
  throw new TroupeError('invalid_command', `--${option} ${value} is not a whole number`)
}
