// A root supervisor with one child process, which the test kills to see its child go too. Arguments: the child's
// behaviour and the test's port.
import { join } from 'node:path'
import { processChild, startSupervisor } from '../../../src/supervision/index.ts'

const args = [join(import.meta.dirname, 'child.ts'), ...process.argv.slice(2)]
await startSupervisor({ id: 'root', children: [processChild({ id: 'child', args })] })
process.stdout.write('the tree stands\n')
