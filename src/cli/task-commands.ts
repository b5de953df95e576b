// The commands that give work and look after tasks, as commander is told of them.
import { type Command, Option } from 'commander'
import type { Handler } from './context.ts'
import { collect } from './labels.ts'

const STATES = 'queued, running, waiting, input-required, completed, failed, cancelled, rejected'

/** Of --state: scripts may say it still. */
const oldStateName = () => new Option('--status <states>').hideHelp()

/** Makes commander's action of a handler that is imported when its command runs. */
export type Action = <Options>(load: () => Promise<Handler<Options>>) => (...given: unknown[]) => Promise<void>

export function addTaskCommands(program: Command, action: Action): void {
  program
    .command('submit <agent> [input]')
    .description('give an agent a task; input is JSON, @file or - for stdin')
    .option('-w, --wait', 'wait for its end; the output goes to stdout')
    .option('-f, --follow', 'wait, and show what happens')
    .option('-d, --document <file>', 'store this file and put it into the input as `document`')
    .option('--priority <lane>', 'high, normal or low')
    .option('--deadline <time>', 'RFC 3339; the task fails when it has not ended by then')
    .option('--budget <tokens>', 'the most tokens it may spend')
    .option('--idempotency-key <key>', 'the same key with the same input gives the same task')
    .option('--label <key=value>', 'what it can be found by; as often as there are labels', collect)
    .option('--callback <url>', 'who is told when it ends or needs a person')
    .action(action(async () => (await import('./submit.ts')).submitCommand))

  const tasks = program
    .command('tasks')
    .description('list, show, follow, cancel, retry, message, erase; many at once; deliveries')
  tasks
    .command('ls')
    .description('the newest tasks')
    .option('--state <states>', `in one of these states, separated by commas: ${STATES}`)
    .addOption(oldStateName())
    .option('--agent <name>', 'only those of this agent')
    .option('--parent <id>', 'only those that this task asked for')
    .option('--label <key=value>', 'as often as there are labels: those that have all of them', collect)
    .option('--limit <count>', 'at most', '50')
    .option('--cursor <cursor>', 'the next page')
    .action(action(async () => (await import('./tasks.ts')).listTasks))
  tasks
    .command('show <id>')
    .description('what is known of it, with its input and output')
    .action(action(async () => (await import('./tasks.ts')).showTask))
  tasks
    .command('follow <id>')
    .description('its log, until it ends')
    .option('--after <number>', 'only events above this number', '0')
    .action(action(async () => (await import('./tasks.ts')).followTask))
  tasks
    .command('cancel <id>')
    .description('end it, and whatever it asked for')
    .option('--reason <text>', 'told to whoever asked for it')
    .action(action(async () => (await import('./tasks.ts')).cancelTask))
  tasks
    .command('submit-many <agent> <inputs>')
    .description('a task for each line of JSON; inputs are @file or - for stdin')
    .option('--priority <lane>', 'high, normal or low')
    .option('--label <key=value>', 'what they can be found by; as often as there are labels', collect)
    .option('--callback <url>', 'who is told when one of them ends or needs a person')
    .option('--key-prefix <prefix>', 'the same lines under the same prefix give the same tasks')
    .action(action(async () => (await import('./batches.ts')).submitMany))
  tasks
    .command('cancel-many')
    .description('end all that these options find, and whatever they asked for')
    .option('--label <key=value>', 'as often as there are labels', collect)
    .option('--agent <name>', 'only those of this agent')
    .option('--state <states>', 'one or more, separated by commas; default: all that have not ended')
    .addOption(oldStateName())
    .option('--before <time>', 'RFC 3339; accepted before it')
    .option('--reason <text>', 'told to whoever asked for it')
    .option('--dry-run', 'only say how many')
    .action(action(async () => (await import('./batches.ts')).cancelMany))
  tasks
    .command('deliveries <id>')
    .description('how those who are told of it took it')
    .action(action(async () => (await import('./webhooks.ts')).listDeliveries))
  tasks
    .command('retry <id>')
    .description('run a failed or cancelled one again from its last good state')
    .option('-w, --wait', 'wait for its end; the output goes to stdout')
    .option('-f, --follow', 'wait, and show what happens')
    .action(action(async () => (await import('./tasks.ts')).retryTask))
  tasks
    .command('erase <id>')
    .description('delete one that has ended, for good, with all that it asked for (admin)')
    .action(action(async () => (await import('./erasing.ts')).eraseTask))
  tasks
    .command('erase-many')
    .description('delete all that have ended and that these options find, for good (admin)')
    .option('--label <key=value>', 'as often as there are labels', collect)
    .option('--agent <name>', 'only those of this agent')
    .option('--yes', 'it is meant; without it, only says how many')
    .action(action(async () => (await import('./erasing.ts')).eraseMany))
  tasks
    .command('message <id> <type> [content]')
    .description('send it a message; content is JSON, @file or -')
    .option('--event <number>', 'answer what it asked then: refused when it has gone on, or somebody else has answered')
    .action(action(async () => (await import('./tasks.ts')).messageTask))
}

export function addWebhookCommands(program: Command, action: Action): void {
  const webhooks = program.command('webhooks').description('who is told of the end of every task')
  webhooks
    .command('create <url>')
    .description('make one; the secret that its messages are signed with goes to stdout, this once')
    .option('--event <event>', 'like task.failed; as often as there are events (default: all)', collect)
    .action(action(async () => (await import('./webhooks.ts')).createWebhook))
  webhooks
    .command('ls')
    .description('all of them, without their secrets')
    .action(action(async () => (await import('./webhooks.ts')).listWebhooks))
  webhooks
    .command('rotate <id>')
    .description('another secret, to stdout, this once; for a while messages are signed with both')
    .option('--overlap <hours>', 'how long the secret before is good', '24')
    .action(action(async () => (await import('./webhooks.ts')).rotateWebhook))
  webhooks
    .command('remove <id>')
    .description('it is called no more')
    .action(action(async () => (await import('./webhooks.ts')).removeWebhook))
  webhooks
    .command('secret')
    .description('what callbacks of single tasks are signed with')
    .action(action(async () => (await import('./webhooks.ts')).showSigningSecret))
}
