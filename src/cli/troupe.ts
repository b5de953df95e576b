#!/usr/bin/env node
// The `troupe` command: what it can be told, and nothing else. Each subcommand lives in the file of its name and is
// imported only when it runs, so that `troupe --help` is there at once.
//   troupe.ts       this file: the commands, one place for their failures; task-commands.ts: those about tasks
//   up.ts           up, run                  samples.ts      the samples of `npm start`
//   tree.ts         tree, restart            submit.ts       submit; follow.ts: a task's log as it grows
//   tasks.ts        tasks …                  agents.ts       agents …
//   documents.ts    documents …              collections.ts  collections …, search
//   administration.ts  keys, quotas, models, usage; audit.ts: audit …; administration-commands.ts: their commands
//   tenants.ts      tenants remove           doctor.ts       doctor
//   backup.ts       backup, restore
//   schedules.ts    schedules …              batches.ts      many tasks at once
//   webhooks.ts     webhooks …               labels.ts       --label
//   trace.ts        trace                    completion.ts   completion
//   train.ts        train                    events.ts       events
//   client.ts       the gateway over HTTP    connection.ts   where it is, and with which key
//   context.ts      what a command is given  terminal.ts     stdout and stderr
//   input.ts        JSON, @file, -           table.ts        rows and units; exit-codes.ts
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { toErrorRecord, toTroupeError } from '../contract/errors.ts'
import { addAdministrationCommands } from './administration-commands.ts'
import type { Handler } from './context.ts'
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts'
import { collect } from './labels.ts'
import { addTaskCommands, addWebhookCommands } from './task-commands.ts'
import { heedReaders, shownOn } from './terminal.ts'

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'))

const program = new Command('troupe')
  .description('Supervised, durable agents: start them, give them work, watch them.')
  .version(manifest.version, '-V, --version')
  .option('--url <url>', 'the gateway (TROUPE_URL; default: the one of the data folder)')
  .option('--key <key>', 'an API key (TROUPE_KEY; default: the admin key of the data folder)')
  .option('--data <folder>', 'the data folder (TROUPE_DATA; default: .troupe)')
  .option('--json', 'data as JSON')
  .addHelpText('after', `\n${EXIT_CODES_HELP}`)
  .exitOverride()

/** The handler is imported when its command runs. */
function action<Options>(load: () => Promise<Handler<Options>>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.pop() as Command
    const options = given.pop() as Options
    const [handler, { createContext }] = await Promise.all([load(), import('./context.ts')])
    const code = await handler(createContext(command.optsWithGlobals()), given as (string | undefined)[], options)
    if (code !== undefined) process.exitCode = code
  }
}

program.commandsGroup('Run it:')
program
  .command('up')
  .description('start everything on this machine, and keep it running')
  .option('--host <address>', 'where the gateway listens (TROUPE_HOST; default: 127.0.0.1)')
  .option('--port <number>', 'its port; 0 takes a free one (TROUPE_PORT; default: 8000)')
  .option('--postgres <url>', 'a cluster: its journal (TROUPE_POSTGRES_URL)')
  .option('--nats <url>', 'and its bus (TROUPE_NATS_URL)')
  .option('--redis <url>', 'shared rate counters (TROUPE_REDIS_URL)')
  .option('--hosts <count>', 'host processes of a cluster (TROUPE_HOSTS; default: 2)')
  .option('--samples', 'run the samples when it serves, and show what came out')
  .action(action(async () => (await import('./up.ts')).upCommand))
program
  .command('run <role>')
  .description(
    'run one process of an installation: core, host, gateway, inference or retrieval; settings from the environment',
  )
  .action(action(async () => (await import('./up.ts')).runCommand))
program
  .command('tree')
  .description('the live supervision tree')
  .action(action(async () => (await import('./tree.ts')).treeCommand))
program
  .command('restart <path>')
  .description('restart a child of the tree in good order, like troupe/core')
  .action(action(async () => (await import('./tree.ts')).restartCommand))
program
  .command('doctor')
  .description('check everything, and say what to do')
  .action(action(async () => (await import('./doctor.ts')).doctorCommand))
program
  .command('samples')
  .description('run the samples against a running installation, and show what came out')
  .action(action(async () => (await import('./samples.ts')).samplesCommand))

program.commandsGroup('Give it work:')
addTaskCommands(program, action)

program
  .command('trace <id>')
  .description('where a task’s time went: the waterfall of its states, steps and children')
  .action(action(async () => (await import('./trace.ts')).traceCommand))
program
  .command('events [streams...]')
  .description('the platform’s events as they happen: document_processed, system_alert, …; without a name all of them')
  .option('--after <positions>', 'begin after these, like agent_status:17')
  .option('--list', 'which streams there are, and how long each is kept')
  .action(action(async () => (await import('./events.ts')).eventsCommand))

const schedules = program.command('schedules').description('tasks at a time, or again and again')
schedules
  .command('put <name> <agent> [input]')
  .description('make one, or put another in its place; input is JSON, @file or - for stdin')
  .option('--cron <expression>', 'minute hour day month weekday, or @daily')
  .option('--time-zone <zone>', 'of --cron, like Europe/Berlin (default: UTC)')
  .option('--at <time>', 'RFC 3339; once')
  .option('--skip', 'not while its task before has not ended')
  .option('--priority <lane>', 'high, normal or low')
  .option('--label <key=value>', 'of its tasks; as often as there are labels', collect)
  .option('--callback <url>', 'who is told when one of its tasks ends')
  .action(action(async () => (await import('./schedules.ts')).putSchedule))
schedules
  .command('ls')
  .description('by name, with the next time and what came of the last')
  .option('--limit <count>', 'at most', '50')
  .action(action(async () => (await import('./schedules.ts')).listSchedules))
schedules
  .command('show <name>')
  .description('one of them, with its input')
  .action(action(async () => (await import('./schedules.ts')).showSchedule))
schedules
  .command('remove <name>')
  .description('it asks no more; its tasks go on')
  .action(action(async () => (await import('./schedules.ts')).removeSchedule))

const agents = program.command('agents').description('what can be asked to work')
agents
  .command('ls')
  .description('all of them')
  .action(action(async () => (await import('./agents.ts')).listAgents))
agents
  .command('show <name>')
  .description('what one takes and gives')
  .option('--schema', 'the whole JSON Schema of input and output')
  .action(action(async () => (await import('./agents.ts')).showAgent))

const documents = program.command('documents').description('put, get, list and delete documents')
documents
  .command('put <file>')
  .description('store a file; its id goes to stdout')
  .option('--name <name>', 'another name than the file’s')
  .option('--collection <name>', 'put it into this collection as well')
  .action(action(async () => (await import('./documents.ts')).putDocument))
documents
  .command('get <id>')
  .description('its content; with --json what is known of it')
  .option('-o, --output <file>', 'instead of stdout')
  .action(action(async () => (await import('./documents.ts')).getDocument))
documents
  .command('ls')
  .description('the newest ones')
  .option('--limit <count>', 'at most', '50')
  .action(action(async () => (await import('./documents.ts')).listDocuments))
documents
  .command('delete <id>')
  .description('for good, and its passages from every collection')
  .action(action(async () => (await import('./documents.ts')).deleteDocument))
const collections = program.command('collections').description('what can be searched')
collections
  .command('ls')
  .description('all of them, with how much they hold')
  .action(action(async () => (await import('./collections.ts')).listCollections))
collections
  .command('add <collection> <document-id>')
  .description('make a stored document searchable; the first one makes the collection')
  .action(action(async () => (await import('./collections.ts')).addToCollection))
collections
  .command('remove <collection> <document-id>')
  .description('take a document out; it stays stored')
  .action(action(async () => (await import('./collections.ts')).removeFromCollection))
collections
  .command('delete <collection>')
  .description('all that it holds; its documents stay stored')
  .action(action(async () => (await import('./collections.ts')).deleteCollection))
program
  .command('search <collection> <query>')
  .description('search a collection by words and by meaning')
  .option('--limit <count>', 'at most', '5')
  .option('--mode <mode>', 'hybrid, lexical or vector', 'hybrid')
  .action(action(async () => (await import('./collections.ts')).searchCollection))

program.commandsGroup('Look after it:')
addWebhookCommands(program, action)
addAdministrationCommands(program, action)
program
  .command('train [arguments...]')
  .description('train a model; `troupe train --help` says how')
  .allowUnknownOption()
  .helpOption(false)
  // All of it as it was typed: commander would take train's --data for its own, the data folder.
  .action(async () =>
    (await import('./train.ts')).trainCommand(process.argv.slice(process.argv.indexOf('train', 2) + 1)),
  )
const plugins = program.command('plugin').description('new, check, add, list and remove agent packages')
plugins
  .command('new <folder>')
  .description('a package with an agent whose tests pass; the folder names the agent')
  .option('--machine', 'an xstate machine instead of a function')
  .action(action(async () => (await import('./plugin.ts')).newPlugin))
plugins
  .command('check <folder>')
  .description('would it be taken? Its code runs in a guarded process')
  .option('--against <journal>', 'which open tasks would break: a stopped data folder, or postgres://…')
  .option('--trust', 'run its code here, with all your rights')
  .action(action(async () => (await import('./plugin.ts')).checkPlugin))
plugins
  .command('add <package>')
  .description('a folder, or what npm can install; its code runs in a process of its own')
  .option('--trust', 'run it within the hosts, with all their rights')
  .action(action(async () => (await import('./plugin.ts')).addPlugin))
plugins
  .command('list')
  .alias('ls')
  .description('what was added, and how it runs')
  .action(action(async () => (await import('./plugin.ts')).listPlugins))
plugins
  .command('remove <name>')
  .description('forget it; its open tasks wait')
  .action(action(async () => (await import('./plugin.ts')).removePlugin))
program
  .command('backup <folder>')
  .description('copy the data folder into an empty folder, also while Troupe runs')
  .action(action(async () => (await import('./backup.ts')).backupCommand))
program
  .command('restore <folder>')
  .description('make a data folder (--data) out of a backup')
  .action(action(async () => (await import('./backup.ts')).restoreCommand))
program
  .command('completion <shell>')
  .description('a script for bash, zsh or fish: source <(troupe completion bash)')
  .action(async (shell: string) => (await import('./completion.ts')).completionCommand(program, shell))

/** Whoever mistypes an option is sent to the help of that command. */
function pointToHelp(command: Command, name: string): void {
  command.showHelpAfterError(`Try \`${name} --help\`.`)
  for (const below of command.commands) pointToHelp(below, `${name} ${below.name()}`)
}

pointToHelp(program, 'troupe')
heedReaders()
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
  else process.stderr.write(shownOn(process.stderr, `${error.words}\n`))
  if (error.code === 'internal') process.stderr.write(`${(error.cause as Error | undefined)?.stack ?? error.stack}\n`)
  return exitCodeOf(error)
}
