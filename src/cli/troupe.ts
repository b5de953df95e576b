#!/usr/bin/env node
// The `troupe` command: what it can be told, and nothing else. Each subcommand lives in the file of its name and is
// imported only when it runs, so that `troupe --help` is there at once.
//   troupe.ts       this file: the commands, one place for their failures
//   up.ts           up, run                  samples.ts      the samples of `npm start`
//   tree.ts         tree, restart            submit.ts       submit; follow.ts: a task's log as it grows
//   tasks.ts        tasks …                  agents.ts       agents …
//   documents.ts    documents …, search      administration.ts  keys, models, usage
//   backup.ts       backup, restore          doctor.ts       doctor
//   train.ts        train                    completion.ts   completion
//   client.ts       the gateway over HTTP    connection.ts   where it is, and with which key
//   terminal.ts     stdout and stderr        table.ts, exit-codes.ts
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { toErrorRecord, toTroupeError } from '../contract/errors.ts'
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts'

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'))

const program = new Command('troupe')
  .description('Supervised, durable agents: start them, give them work, watch them.')
  .version(manifest.version, '-V, --version')
  .option('--url <url>', 'the gateway (TROUPE_URL; default: the one of the data folder)')
  .option('--key <key>', 'an API key (TROUPE_KEY; default: the admin key of the data folder)')
  .option('--data <folder>', 'the data folder (TROUPE_DATA; default: .troupe)')
  .option('--json', 'data as JSON')
  .addHelpText('after', `\n${EXIT_CODES_HELP}`)
  .showHelpAfterError('Try `troupe --help`.')
  .exitOverride()

program
  .command('up')
  .description('start everything on this machine, and keep it running')
  .option('--host <address>', 'where the gateway listens (TROUPE_HOST; default: 127.0.0.1)')
  .option('--port <number>', 'its port; 0 takes a free one (TROUPE_PORT; default: 8000)')
  .option('--samples', 'run the samples when it serves, and show what came out')
  .action(async (options, command) => (await import('./up.ts')).upCommand(options, command.optsWithGlobals()))

program
  .command('run')
  .argument('<role>', 'core, inference or retrieval')
  .description('run one process of an installation in the foreground; its settings come from the environment')
  .action(async (role) => (await import('./up.ts')).runRole(role))

try {
  await program.parseAsync()
} catch (thrown) {
  process.exitCode = explain(thrown)
}

/** Every failure ends here, in one coded line that says what to do. */
function explain(thrown: unknown): number {
  // Commander has said what is wrong, or shown the help that was asked for.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage
  const error = toTroupeError(thrown)
  if (program.opts().json)
    process.stderr.write(`${JSON.stringify({ error: { ...toErrorRecord(error), fix: error.fix } })}\n`)
  else process.stderr.write(`${error.code}: ${error.message} ${error.fix}\n`)
  if (error.code === 'internal') process.stderr.write(`${(error.cause as Error | undefined)?.stack ?? error.stack}\n`)
  return exitCodeOf(error)
}
