import { createInProcessBus } from '../../src/bus/in-process.ts'
import { busContract } from './contract.ts'

busContract('in-process', async () => {
  const bus = createInProcessBus()
  return { first: bus, second: bus, close: () => bus.close() }
})
