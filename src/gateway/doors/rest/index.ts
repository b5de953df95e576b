// The REST door, a file for each kind of thing.
//   submit.ts        submit a task
//   tasks.ts         read one, or a list
//   task-changes.ts  cancel, retry, erase, message
//   batches.ts       many in one request: submit them, cancel what a filter finds
//   webhooks.ts      who is told of the end of all tasks; how deliveries went
//   task-view.ts     a task and its events as the API shows them
//   events.ts        a task's log: JSON pages or server-sent events
//   platform-events.ts  the platform's event streams
//   open-stream.ts   one reader's stream among all that are open
//   sse.ts           one server-sent stream with a bounded buffer
//   trace.ts         what a task did, as spans
//   schedules.ts     tasks at a time, or again and again
//   documents.ts     upload, read, download, delete
//   collections.ts   put documents into a collection, search it, remove it
//   agents.ts        what can be asked to work
//   supervision.ts   the live tree, restart a child
//   usage.ts         what was spent; quotas
//   audit.ts         the audit trail, and whether its chain holds
//   keys.ts          API keys
//   self.ts          who a credential is
//   token.ts         OAuth2 client credentials
//   health.ts        probes and metrics
//   waiting.ts       requests that wait for a task
//   preferences.ts   Prefer, If-Match, If-None-Match, Idempotency-Key
import type { FastifyPluginAsync } from 'fastify'
import type { Authenticate } from '../../auth/authenticate.ts'
import type { Rates } from '../../limits/rates.ts'
import type { GatewayContext } from '../../parts.ts'
import { agentsDoor } from './agents.ts'
import { auditDoor } from './audit.ts'
import { batchesDoor } from './batches.ts'
import { collectionsDoor } from './collections.ts'
import { documentsDoor } from './documents.ts'
import { eventsDoor } from './events.ts'
import { healthDoor } from './health.ts'
import { keysDoor } from './keys.ts'
import { platformEventsDoor } from './platform-events.ts'
import { schedulesDoor } from './schedules.ts'
import { selfDoor } from './self.ts'
import { submitDoor } from './submit.ts'
import { supervisionDoor } from './supervision.ts'
import { taskChangesDoor } from './task-changes.ts'
import { tasksDoor } from './tasks.ts'
import { tokenDoor } from './token.ts'
import { traceDoor } from './trace.ts'
import { usageDoor } from './usage.ts'
import { webhooksDoor } from './webhooks.ts'

export function restDoors(
  context: GatewayContext,
  guards: { authenticate: Authenticate; rates: Rates; isDraining: () => boolean },
): FastifyPluginAsync {
  return async (app) => {
    await app.register(submitDoor(context))
    await app.register(tasksDoor(context))
    await app.register(taskChangesDoor(context))
    await app.register(batchesDoor(context))
    await app.register(webhooksDoor(context))
    await app.register(traceDoor(context))
    await app.register(eventsDoor(context, guards.authenticate))
    await app.register(platformEventsDoor(context, guards.authenticate))
    await app.register(schedulesDoor(context))
    await app.register(documentsDoor(context))
    await app.register(collectionsDoor(context))
    await app.register(agentsDoor(context))
    await app.register(supervisionDoor(context))
    await app.register(usageDoor(context))
    await app.register(auditDoor(context))
    await app.register(keysDoor(context))
    await app.register(selfDoor(context))
    await app.register(tokenDoor(context, guards.rates))
    await app.register(healthDoor(context, guards.isDraining))
  }
}
