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
