// Opens the spans of hosts, gateway and tools, by the GenAI conventions; starts the export when a collector is set.
import type { TaskEvent } from '../contract/events.ts'
import type { Desk } from '../desk/desk.ts'
import type { TelemetryPort } from '../gateway/index.ts'
import type { WatchCall } from '../host/llm.ts'
import { type Observe, unobserved } from '../host/observe.ts'
import { type ExportCounts, span, startExport, startSpan, traceOfLog } from '../telemetry/index.ts'
import { type IncarnationParts, observeIncarnations } from './incarnation.ts'
import { readTraceSettings } from './trace-settings.ts'

export interface Telemetry {
  /** What the hosts of this process let be seen. */
  observe(parts: IncarnationParts): Observe
  aroundTool<Result>(name: string, inner: () => Promise<Result>): Promise<Result>
  watchChat: WatchCall | undefined
  gateway(desk: Desk): TelemetryPort
  /** Absent while nothing is exported. */
  counts: (() => ExportCounts) | undefined
  stop(): Promise<void>
}

/** Of a task's descendants so many are drawn; a fan-out of thousands is a table, not a picture. */
const MAX_TASKS = 50

/** `role`: `core`, `gateway`, `host`, `inference` or `retrieval`. */
export async function startTelemetry(role: string, onTrouble: (message: string) => void): Promise<Telemetry> {
  const settings = readTraceSettings(process.env, role)
  if (settings === undefined) {
    return {
      observe: () => unobserved,
      aroundTool: (_name, inner) => inner(),
      watchChat: undefined,
      gateway: keepingNoSpans,
      counts: undefined,
      stop: async () => {},
    }
  }
  const exporting = await startExport({ ...settings, onTrouble })
  return {
    observe: observeIncarnations,
    aroundTool: (name, inner) =>
      span(
        `execute_tool ${name}`,
        { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name } },
        async () => await inner(),
      ),
    watchChat,
    gateway: (desk) => ({
      ...keepingNoSpans(desk),
      span: (name, attributes, parent, work) => span(name, { attributes, parent, kind: 'server' }, work),
    }),
    counts: exporting.counts,
    stop: () => exporting.stop(),
  }
}

/** A call of a chat model, without a word of what was said. */
const watchChat: WatchCall = ({ model, url, temperature, maxTokens, traceparent }) => {
  const { hostname, port, protocol } = new URL(url)
  const opened = startSpan(`chat ${model}`, {
    kind: 'client',
    parent: traceparent,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': model,
      'server.address': hostname,
      'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
      ...(temperature === undefined ? {} : { 'gen_ai.request.temperature': temperature }),
      ...(maxTokens === undefined ? {} : { 'gen_ai.request.max_tokens': maxTokens }),
    },
  })
  return {
    answered({ inputTokens, outputTokens, model: answered, id, finishReasons }) {
      opened.set({
        'gen_ai.usage.input_tokens': inputTokens,
        'gen_ai.usage.output_tokens': outputTokens,
        ...(answered === undefined ? {} : { 'gen_ai.response.model': answered }),
        ...(id === undefined ? {} : { 'gen_ai.response.id': id }),
        ...(finishReasons.length === 0 ? {} : { 'gen_ai.response.finish_reasons': finishReasons }),
      })
      opened.end()
    },
    failed: (error) => opened.end(error),
  }
}

/** The trace of a task comes out of its log, with or without a collector. */
function keepingNoSpans(desk: Desk): TelemetryPort {
  return {
    span: (_name, _attributes, parent, work) => work(parent),
    trace: async (tenant, taskId) => {
      const logs = []
      const wanted = [taskId]
      while (wanted.length > 0 && logs.length < MAX_TASKS) {
        const id = wanted.shift()!
        logs.push({ task: await desk.get(tenant, id), events: await wholeLog(desk, tenant, id) })
        for (const child of (await desk.list(tenant, { parent: id, limit: MAX_TASKS })).tasks) wanted.push(child.id)
      }
      return traceOfLog(logs)
    },
  }
}

const PAGE = 500

async function wholeLog(desk: Desk, tenant: string, taskId: string): Promise<TaskEvent[]> {
  const events: TaskEvent[] = []
  for (;;) {
    const page = await desk.events(tenant, taskId, events.at(-1)?.number ?? 0, PAGE)
    events.push(...page)
    if (page.length < PAGE) return events
  }
}
