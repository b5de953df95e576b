// A completion script, made of the commands themselves, so that it cannot fall behind them. Where a word of a fixed set
// is expected, that set is offered; file names only where a file is.
import type { Argument, Command, Option } from 'commander'
import { TroupeError } from '../contract/errors.ts'
import { PLATFORM_STREAMS } from '../contract/events.ts'
import { LANES } from '../contract/task.ts'

export function completionCommand(program: Command, shell: string): void {
  const script = scriptFor(shell, placesOf(program))
  if (script === undefined) {
    throw new TroupeError('invalid_command', `There is no completion for ${shell}; there is for ${SHELLS.join(', ')}.`)
  }
  process.stdout.write(`${script}\n`)
}

const SHELLS = ['bash', 'zsh', 'fish']

function scriptFor(shell: string, places: Place[]): string | undefined {
  if (shell === 'bash') return bash(places)
  // zsh runs bash's completions when told to.
  if (shell === 'zsh') return `autoload -U +X bashcompinit && bashcompinit\n${bash(places)}`
  if (shell === 'fish') return fish(places)
  return undefined
}

/** What may stand somewhere: one of these words, a file, or what nobody can guess. */
type Values = readonly string[] | 'file' | 'anything'

/** A command, and what may follow it. */
interface Place {
  /** `tasks show`; empty: none yet. */
  path: string
  below: { name: string; description: string }[]
  options: { long: string; short: string | undefined; description: string; values: Values | undefined }[]
  values: Values
}

/** By the command and the name of its argument or option. */
const WORDS: Record<string, readonly string[]> = {
  'run role': ['core', 'host', 'gateway', 'inference', 'retrieval'],
  'completion shell': SHELLS,
  'events streams': Object.keys(PLATFORM_STREAMS),
  'submit priority': LANES,
  'schedules put priority': LANES,
  'search mode': ['hybrid', 'lexical', 'vector'],
  'keys create role': ['viewer', 'submitter', 'operator', 'admin'],
}
const FILES = ['file', 'folder', 'package', 'journal']

function placesOf(program: Command): Place[] {
  const places: Place[] = []
  const visit = (command: Command, path: string): void => {
    const own = [...command.options, ...(command === program ? [] : program.options)]
    places.push({
      path,
      below: command.commands.map((below) => ({ name: below.name(), description: below.description() })),
      options: own.flatMap((option) => (option.long && !option.hidden ? optionOf(path, option, option.long) : [])),
      values: argumentValues(path, command.registeredArguments),
    })
    for (const below of command.commands) visit(below, path === '' ? below.name() : `${path} ${below.name()}`)
  }
  visit(program, '')
  return places
}

function optionOf(path: string, option: Option, long: string): Place['options'][number] {
  const takes = /<(\w+)>/.exec(option.flags)?.[1]
  const words = WORDS[`${path} ${long.slice(2)}`]
  const values = takes === undefined ? undefined : (words ?? (FILES.includes(takes) ? 'file' : 'anything'))
  return { long: long.slice(2), short: option.short?.slice(1), description: option.description, values }
}

function argumentValues(path: string, given: readonly Argument[]): Values {
  for (const argument of given) {
    const words = WORDS[`${path} ${argument.name()}`]
    if (words !== undefined) return words
  }
  return given.some((argument) => FILES.includes(argument.name())) ? 'file' : 'anything'
}

function bash(places: Place[]): string {
  const paths = places.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`)
  const after = places.flatMap(({ path, below, options, values }) => {
    const words = [...below.map(({ name }) => name), ...(typeof values === 'string' ? [] : values)]
    const all = [...words, ...options.map(({ long }) => `--${long}`)].join(' ')
    return [`    '${path}') next='${all}' files=${values === 'file' ? 'yes' : ''};;`]
  })
  const valued = places.flatMap(({ path, options }) =>
    options.flatMap(({ long, short, values }) => {
      if (values === undefined) return []
      const names = [`'${path}|--${long}'`, ...(short === undefined ? [] : [`'${path}|-${short}'`])].join('|')
      const words = typeof values === 'string' ? '' : values.join(' ')
      return [`    ${names}) next='${words}' files=${values === 'file' ? 'yes' : ''};;`]
    }),
  )
  return [
    '_troupe() {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
    '  local word="${COMP_WORDS[COMP_CWORD]}" path="" next="" files="" further index',
    '  for ((index = 1; index < COMP_CWORD; index++)); do',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
    '    further="${path:+$path }${COMP_WORDS[index]}"',
    // Arguments, options and their values are no part of a command's path.
    `    case "$further" in ${paths.join('|')}) path="$further";; esac`,
    '  done',
    '  case "$path" in',
    ...after,
    '  esac',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours
    '  case "$path|${COMP_WORDS[COMP_CWORD - 1]}" in',
    ...valued,
    '  esac',
    '  COMPREPLY=($(compgen -W "$next" -- "$word"))',
    // Old bashes and zsh have no compopt: they go on offering files.
    '  [ -n "$files" ] || compopt +o default 2>/dev/null || true',
    '}',
    // Where no word fits, a file may.
    'complete -o default -F _troupe troupe',
  ].join('\n')
}

function fish(places: Place[]): string {
  const paths = places.map(({ path }) => quoted(path)).join(' ')
  const lines = [
    'function __troupe_at',
    "  set -l path ''",
    '  for word in (commandline -opc)[2..-1]',
    '    set -l further (string trim -- "$path $word")',
    `    contains -- "$further" ${paths}; and set path $further`,
    '  end',
    '  test "$path" = "$argv[1]"',
    'end',
    'complete -c troupe -f',
  ]
  for (const { path, below, options, values } of places) {
    const here = `complete -c troupe -n ${quoted(`__troupe_at '${path}'`)}`
    for (const { name, description } of below) lines.push(`${here} -a ${name} -d ${quoted(description)}`)
    if (values === 'file') lines.push(`${here} -F`)
    else if (typeof values !== 'string') lines.push(`${here} -a ${quoted(values.join(' '))}`)
    for (const { long, short, description, values: taken } of options) {
      const named = `${here} -l ${long}${short === undefined ? '' : ` -s ${short}`} -d ${quoted(description)}`
      lines.push(`${named}${valueFlags(taken)}`)
    }
  }
  return lines.join('\n')
}

function valueFlags(values: Values | undefined): string {
  if (values === undefined) return ''
  if (values === 'file') return ' -r -F'
  return values === 'anything' ? ' -x' : ` -x -a ${quoted(values.join(' '))}`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
