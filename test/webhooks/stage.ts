// Hosts that deliver, over a real journal: what src/boot/webhooks.ts puts together, with short pauses.
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Callback } from '../../src/contract/callbacks.ts'
import type { TroupeError } from '../../src/contract/errors.ts'
import { type Callbacks, createCallbacks, loadPolicy, taskAsSubmitter } from '../../src/gateway/index.ts'
import type { WebhookRow } from '../../src/gateway/store/store.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { createCallBack, readCallbackAddresses } from '../../src/outside/index.ts'
import type { Agent } from '../../src/sdk/index.ts'
import { createWebhookAgent } from '../../src/webhooks/index.ts'
import { openTestStage, TENANT } from '../actor/stage.ts'

export { TENANT }

/** Secrets and webhooks in memory. */
export function callbacksInMemory(privateOnes: string[], key = randomBytes(32).toString('hex')): Callbacks {
  let kept: WebhookRow[] = []
  const store = {
    secret: async () => key,
    addWebhook: async (webhook: WebhookRow) => void kept.push(webhook),
    webhooks: async (tenant: string) => kept.filter((one) => one.tenant === tenant),
    async replaceWebhook(read: WebhookRow, next: WebhookRow) {
      const at = kept.indexOf(read)
      if (at >= 0) kept[at] = next
      return at >= 0
    },
    async removeWebhook(_: string, id: string) {
      const before = kept.length
      kept = kept.filter((one) => one.id !== id)
      return kept.length < before
    },
  }
  return createCallbacks({ store, addresses: readCallbackAddresses(privateOnes) })
}

export interface Delivering {
  callbacks: Callbacks
  privateOnes: string[]
  pausesMs?: number[]
  timeoutMs?: number
  restMs?: number
  onFailed?: (tenant: string, receiver: string, error: TroupeError) => void
}

export function deliveringAgent(journal: Journal, given: Delivering): Agent {
  return createWebhookAgent({
    journal,
    destination: given.callbacks.destination,
    callBack: createCallBack(readCallbackAddresses(given.privateOnes), given.timeoutMs),
    view: taskAsSubmitter(loadPolicy(undefined)),
    onFailed: given.onFailed ?? (() => {}),
    pausesMs: given.pausesMs ?? [10, 10],
    ...(given.restMs === undefined ? {} : { restMs: given.restMs }),
  }) as Agent
}

export async function openWebhookStage(
  t: TestContext,
  agents: Agent[],
  given: Partial<Delivering> & Pick<Delivering, 'privateOnes'>,
) {
  const { privateOnes } = given
  const callbacks = given.callbacks ?? callbacksInMemory(privateOnes)
  const failed: string[] = []
  const onFailed = (_: string, receiver: string, error: TroupeError) => void failed.push(`${receiver} ${error.message}`)
  const stage = await openTestStage(t, agents)
  await stage.startHost([...agents, deliveringAgent(stage.journal, { onFailed, ...given, callbacks })])

  return {
    ...stage,
    callbacks,
    failed,
    async submitTelling(agent: string, input: unknown, own: Callback[]) {
      const told = await callbacks.attach(TENANT, own)
      const request = { tenant: TENANT, agent, input, ...(told === undefined ? {} : { callbacks: told }) }
      return (await stage.desk.submit(request)).task
    },
    /** The deliveries about a task, once there are so many and all of them have ended. */
    async deliveries(taskId: string, count: number) {
      for (;;) {
        const { tasks } = await stage.desk.list(TENANT, { labels: [`troupe.delivery-of:${taskId}`] })
        if (tasks.length >= count) return await Promise.all(tasks.reverse().map(({ id }) => stage.end(id)))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
  }
}
