// What is given to an agent: JSON on the command line, in a file, or on stdin.
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { TroupeError } from '../contract/errors.ts'

export async function readInput(given: string | undefined): Promise<unknown> {
  if (given === undefined) return {}
  if (given === '-') return parse(await text(process.stdin), 'stdin')
  if (given.startsWith('@')) return parse(await readText(given.slice(1)), given.slice(1))
  return parse(given, 'the argument')
}

/** One value a line, with the line's number; empty lines are passed over. */
export async function readLines(given: string | undefined): Promise<{ line: number; value: unknown }[]> {
  if (given === undefined || !/^(-$|@)/.test(given)) {
    throw new TroupeError('invalid_command', 'Inputs come from a file (@inputs.jsonl) or from stdin (-), one a line.')
  }
  const where = given === '-' ? 'stdin' : given.slice(1)
  const lines = (given === '-' ? await text(process.stdin) : await readText(where)).split('\n')
  return lines.flatMap((json, place) => {
    const line = place + 1
    return json.trim() === '' ? [] : [{ line, value: parse(json, `line ${line} of ${where}`) }]
  })
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new TroupeError('invalid_command', `${path} cannot be read: ${(error as Error).message}.`)
  }
}

function parse(json: string, where: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new TroupeError('invalid_input', `${where} is not JSON: ${(error as Error).message}.`)
  }
}
