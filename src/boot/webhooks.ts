// The agent that delivers callbacks, from the settings: where calls may lead, what their secrets are sealed with, and a
// task as a submitter of its tenant may see it.
import { createCallbacks, loadPolicy, taskAsSubmitter } from '../gateway/index.ts'
import { createCallBack, readCallbackAddresses } from '../outside/index.ts'
import type { Agent } from '../sdk/index.ts'
import { createWebhookAgent } from '../webhooks/index.ts'
import type { PlatformFeed } from './platform-feed.ts'
import type { Settings } from './settings.ts'
import type { Stores } from './stores.ts'

export function webhookAgentOf(settings: Settings, stores: Stores, feed: PlatformFeed): Agent {
  const policy = loadPolicy(settings.policyFile)
  const addresses = readCallbackAddresses(policy.webhooks.private)
  const callbacks = createCallbacks({ store: stores.gatewayStore, addresses })
  return createWebhookAgent({
    journal: stores.journal,
    destination: callbacks.destination,
    callBack: createCallBack(addresses),
    view: taskAsSubmitter(policy),
    onFailed: (tenant, receiver, error) => feed.trouble(`delivering to ${receiver}`, error, tenant),
    pausesMs: policy.webhooks.pauses.map((seconds) => seconds * 1_000),
  }) as Agent
}
