// Opens the spans of hosts, gateway and tools, by the GenAI conventions; starts the export when a collector is set.
import type { AroundStep } from '../actor/steps.ts'
import type { TaskEvent } from '../contract/events.ts'
import type { Desk } from '../desk/desk.ts'
import type { TelemetryPort } from '../gateway/index.ts'
import { type Observe, unobserved } from '../host/observe.ts'
import { span, startExport, startSpan, traceOfLog } from '../telemetry/index.ts'
import type { Settings } from './settings.ts'

export interface Telemetry {
  observe: Observe
  aroundTool<Result>(name: string, inner: () => Promise<Result>): Promise<Result>
  gateway(desk: Desk): TelemetryPort
  stop(): Promise<void>
}

/** Of a task's descendants so many are drawn; a fan-out of thousands is a table, not a picture. */
const MAX_TASKS = 50

export async function startTelemetry(settings: Settings, service: string): Promise<Telemetry> {
  const exporting = settings.otlpUrl === undefined ? undefined : await startExport({ service, url: settings.otlpUrl })
  if (exporting === undefined) {
    return { observe: unobserved, aroundTool: (_name, inner) => inner(), gateway: keepingNoSpans, stop: async () => {} }
  }
  return {
    observe(task) {
      const resumed = task.startedAt !== undefined
      const incarnation = startSpan(`invoke_agent ${task.agent}`, {
        parent: task.traceparent,
        // What slept or moved continues in a new span, linked to where it began; no span is open for hours.
        linked: resumed ? task.traceparent : undefined,
        kind: 'consumer',
        attributes: {
          'gen_ai.operation.name': 'invoke_agent',
          'gen_ai.agent.name': task.agent,
          'gen_ai.agent.version': task.agentVersion,
          'gen_ai.agent.id': `${task.agent}@${task.agentVersion}`,
          'troupe.task.id': task.id,
          'troupe.task.epoch': task.epoch + 1,
          'troupe.tenant': task.tenant,
        },
      })
      // A child that this incarnation asks for belongs below it.
      if (incarnation.traceparent !== undefined) task.traceparent = incarnation.traceparent
      const around: AroundStep = (_task, run, inner) =>
        incarnation.within(() =>
          span(
            `step ${run.id}`,
            { attributes: { 'troupe.step.id': run.id, 'troupe.step.attempt': run.attempt } },
            async () => await inner(),
          ),
        )
      return { around, ended: (exit) => incarnation.end(exit.kind === 'failed' ? exit.error : undefined) }
    },

    aroundTool: (name, inner) =>
      span(
        `execute_tool ${name}`,
        { attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name } },
        async () => await inner(),
      ),

    gateway: (desk) => ({
      ...keepingNoSpans(desk),
      span: (name, attributes, parent, work) => span(name, { attributes, parent, kind: 'server' }, work),
    }),

    stop: () => exporting.stop(),
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
