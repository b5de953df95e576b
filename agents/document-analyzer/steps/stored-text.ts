// The text that reading left in the document store. The text itself never enters the machine's state.
import type { StepContext } from '@troupe/sdk'

export async function storedText(ctx: StepContext, textDocument: string): Promise<string> {
  return new TextDecoder().decode(await ctx.documents.read(textDocument))
}

/** Rows of data repeat themselves: of a large table the beginning is looked at, of prose everything. */
const DATA = /^(csv|tsv|xlsx|xls|xlsb|ods|json)$/
export const DATA_READ = 200_000

export function isData(format: string): boolean {
  return DATA.test(format)
}

export function telling(text: string, format: string): string {
  return isData(format) ? text.slice(0, DATA_READ) : text
}

/** The page, from 1, on which an offset lies. */
export function pageOf(offset: number, pageStarts: readonly number[]): number {
  const after = pageStarts.findIndex((start) => start > offset)
  return after < 0 ? Math.max(1, pageStarts.length) : after
}
