// A completion script, made of the commands themselves, so that it cannot fall behind them.
import type { Command } from 'commander'
import { TroupeError } from '../contract/errors.ts'

export function completionCommand(program: Command, shell: string): void {
  const script = scriptFor(shell, wordsOf(program))
  if (script === undefined) {
    throw new TroupeError('invalid_command', `There is no completion for ${shell}; there is for bash, zsh and fish.`)
  }
  process.stdout.write(`${script}\n`)
}

function scriptFor(shell: string, words: Map<string, string[]>): string | undefined {
  if (shell === 'bash') return bash(words)
  // zsh runs bash's completions when told to.
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`
  if (shell === 'fish') return fish(words)
  return undefined
}

/** What may follow each command: subcommands and long options. */
function wordsOf(program: Command): Map<string, string[]> {
  const words = new Map<string, string[]>()
  const visit = (command: Command, path: string): void => {
    const options = [...command.options, ...program.options].map((option) => option.long ?? '').filter(Boolean)
    words.set(path, [...command.commands.map((below) => below.name()), ...new Set(options)])
    for (const below of command.commands) visit(below, path === '' ? below.name() : `${path} ${below.name()}`)
  }
  visit(program, '')
  return words
}

function bash(words: Map<string, string[]>): string {
  const cases = [...words].map(([path, next]) => `    '${path}') next='${next.join(' ')}';;`)
  const paths = [...words.keys()].filter((path) => path !== '').map((path) => `'${path}'`)
  return [
    '_troupe() {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
    '  local word="${COMP_WORDS[COMP_CWORD]}" path="" next="" further index',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
    '    further="${path:+$path }${COMP_WORDS[index]}"',
    // Arguments, options and their values are no part of a command's path.
    `    case "$further" in ${paths.join('|')}) path="$further";; esac`,
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  COMPREPLY=($(compgen -W "$next" -- "$word"))',
    '}',
    // Where no word fits, a file may.
    'complete -o default -F _troupe troupe',
  ].join('\n')
}

function fish(words: Map<string, string[]>): string {
  const lines = ['complete -c troupe -f']
  for (const [path, next] of words) {
    const condition = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path.split(' ').at(-1)}`
    for (const word of next) {
      const kind = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
      lines.push(`complete -c troupe -n '${condition}' ${kind}`)
    }
  }
  return lines.join('\n')
}
