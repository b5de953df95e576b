// A tool is one thing an agent may do to the world outside its state: read a file, query a table, draw a chart.
// It has a schema on both ends and limits, so that an agent, an LLM and a person can call it alike.
import { z } from 'zod'
import { TroupeError } from '../contract/errors.ts'

export interface ToolContext {
  /** Aborted when the step is cancelled, times out or its host drains. Pass it on. */
  signal: AbortSignal
}

export interface ToolLimits {
  /** Milliseconds after which the call is aborted. */
  time: number
}

export interface Tool<Input = unknown, Output = unknown> {
  readonly name: string
  readonly description: string
  readonly input: z.ZodType<Input>
  readonly output: z.ZodType<Output>
  readonly limits: ToolLimits
  /** Checks the input and runs under the limits. */
  call(input: unknown, context: ToolContext): Promise<Output>
}

export interface ToolDefinition<Input, Output> {
  /** Lower-case words joined by hyphens; what an LLM sees. */
  name: string
  description: string
  input: z.ZodType<Input>
  output: z.ZodType<Output>
  limits?: Partial<ToolLimits>
  run(input: Input, context: ToolContext): Promise<Output> | Output
}

const DEFAULT_LIMITS: ToolLimits = { time: 60_000 }
/** Node takes a longer time for one millisecond. */
const LONGEST_MS = 2 ** 31 - 1

export function defineTool<Input, Output>(definition: ToolDefinition<Input, Output>): Tool<Input, Output> {
  const limits = { ...DEFAULT_LIMITS, ...definition.limits }
  return {
    name: definition.name,
    description: definition.description,
    input: definition.input,
    output: definition.output,
    limits,
    async call(input, context) {
      const parsed = definition.input.safeParse(input)
      if (!parsed.success) {
        throw new TroupeError('invalid_input', `${definition.name}: ${z.prettifyError(parsed.error)}`)
      }
      const late = new AbortController()
      const timer = setTimeout(() => late.abort(), Math.min(limits.time, LONGEST_MS))
      const signal = AbortSignal.any([context.signal, late.signal])
      const aborted = Promise.withResolvers<never>()
      const onAbort = () => {
        const tooLate = new TroupeError('limit_exceeded', `${definition.name} ran longer than ${limits.time} ms`)
        aborted.reject(late.signal.aborted ? tooLate : signal.reason)
      }
      try {
        signal.throwIfAborted()
        signal.addEventListener('abort', onAbort, { once: true })
        return await Promise.race([definition.run(parsed.data, { signal }), aborted.promise])
      } finally {
        // A timer or a listener that stays holds the result in memory until the limit has passed.
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
    },
  }
}
