// The agent of the benchmark as a package, for hosts that are processes of their own.
import { z } from 'zod'
import { defineAgent } from '../../../src/sdk/index.ts'

const number = z.object({ n: z.number() })

export default defineAgent({
  name: 'noop',
  version: '1.0.0',
  description: 'Returns its input',
  input: number,
  output: number,
  concurrency: 256,
  run: async (ctx) => ({ n: ctx.input.n }),
})
