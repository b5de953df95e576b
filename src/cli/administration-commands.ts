// The commands that look after tenants and what they may, as commander is told of them.
import type { Command } from 'commander'
import type { Action } from './task-commands.ts'

export function addAdministrationCommands(program: Command, action: Action): void {
  const keys = program.command('keys').description('create, list and revoke API keys')
  keys
    .command('create <name>')
    .description('make one; its secret goes to stdout, this once')
    .requiredOption('--role <role>', 'viewer, submitter, operator or admin')
    .option('--tenant <tenant>', 'another than the key’s own')
    .option('--expires <time>', 'RFC 3339')
    .action(action(async () => (await import('./administration.ts')).createKey))
  keys
    .command('ls')
    .description('all of a tenant, without their secrets')
    .option('--tenant <tenant>', 'another than the key’s own')
    .action(action(async () => (await import('./administration.ts')).listKeys))
  keys
    .command('revoke <id>')
    .description('refuse it from now on')
    .option('--tenant <tenant>', 'another than the key’s own')
    .action(action(async () => (await import('./administration.ts')).revokeKey))
  program
    .command('usage')
    .description('what was spent')
    .option('--since <time>', 'RFC 3339; default: this month')
    .action(action(async () => (await import('./administration.ts')).showUsage))
  program
    .command('models')
    .description('the models that the inference worker serves')
    .action(action(async () => (await import('./administration.ts')).listModels))

  const quotas = program.command('quotas').description('what tenants may use up (platform admin)')
  quotas
    .command('ls')
    .description('the tenants that have one')
    .option('--limit <count>', 'at most', '50')
    .option('--cursor <cursor>', 'the next page')
    .action(action(async () => (await import('./administration.ts')).listQuotas))
  quotas
    .command('show <tenant>')
    .description('that of one tenant')
    .action(action(async () => (await import('./administration.ts')).showQuota))
  quotas
    .command('set <tenant>')
    .description('put another in its place; what is left out has no bound')
    .option('--tasks <count>', 'a day')
    .option('--tokens <count>', 'a month')
    .option('--cost <amount>', 'a month, in the currency of the prices')
    .option('--none', 'no bound at all')
    .action(action(async () => (await import('./administration.ts')).setQuota))

  const tenants = program.command('tenants').description('take a whole tenant away (platform admin)')
  tenants
    .command('remove <tenant>')
    .description('revoke its keys, end its tasks, delete all that it has; the audit trail stays')
    .option('--yes', 'it is meant')
    .action(action(async () => (await import('./tenants.ts')).removeTenant))

  const audit = program.command('audit').description('who changed what, and who was refused')
  audit
    .command('ls')
    .description('the newest entries of the tenant')
    .option('--limit <count>', 'at most', '50')
    .option('--after <number>', 'go on behind this entry')
    .option('--oldest-first', 'from the beginning')
    .action(action(async () => (await import('./audit.ts')).listAudit))
  audit
    .command('verify')
    .description('whether the chain of the whole trail holds (platform admin)')
    .action(action(async () => (await import('./audit.ts')).verifyAudit))
}
