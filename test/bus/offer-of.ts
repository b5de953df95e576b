// An offer of a task that was never accepted: to the bus it is one as good as any.
import type { Offer } from '../../src/bus/bus.ts'
import { newId } from '../../src/contract/ids.ts'

export const offerOf = (agent: string): Offer => ({
  taskId: newId('task'),
  tenant: 't',
  agent,
  agentVersion: '1.0.0',
  priority: 'normal',
  epoch: 0,
})
