// `plugins.json` in the data folder: what `troupe plugin add` added. The schemas of the agents stand in it, so that no
// process has to run a plug-in's code to know what may be sent to it.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'

const schema = z.record(z.string(), z.unknown())
/** As an isolated plug-in describes them: its word is no better than a file's. */
export const agentRecords = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    description: z.string(),
    inputSchema: schema,
    outputSchema: schema,
    messages: z.record(z.string(), schema).optional(),
    concurrency: z.int().positive(),
  }),
)

const fileSchema = z.object({
  plugins: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      folder: z.string(),
      /** True: its code runs within the hosts, with all their rights. */
      trusted: z.boolean(),
      agents: agentRecords,
    }),
  ),
})

export type AddedPlugin = z.infer<typeof fileSchema>['plugins'][number]

export async function readAdded(dataFolder: string): Promise<AddedPlugin[]> {
  const path = join(dataFolder, 'plugins.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    return fileSchema.parse(JSON.parse(text)).plugins
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new TroupeError('configuration_invalid', `${path} cannot be read: ${why}. Correct or delete it.`)
  }
}

/** Whole or not at all: a start that reads half a list would lose plug-ins without a word. */
export async function writeAdded(dataFolder: string, plugins: AddedPlugin[]): Promise<void> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  const path = join(dataFolder, 'plugins.json')
  await writeFile(`${path}.new`, `${JSON.stringify({ plugins }, null, 2)}\n`, { flush: true })
  await rename(`${path}.new`, path)
}
