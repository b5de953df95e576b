// `npm test`: every test of the repository by Node's own runner, then a look at what they left behind. A process, a
// temporary file or an open handle that outlives its test is a failure: in production it would be a leak.
import { spawn } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const wanted = process.argv.slice(2)
const patterns =
  wanted.length > 0 ? wanted : ['test/**/*.test.ts', 'agents/*/test/*.test.ts', 'examples/*/test/*.test.ts']
const files = globSync(patterns, { cwd: root }).sort()

// A file whose tests leave a handle open never ends by itself; its process is ended here, and that is a failure.
const FILE_TIMEOUT_MS = 300_000
// One more than there are processors: for a third of their time tests wait, for leases, servers and processes.
const LANES = availableParallelism() + 1
// Many slow tests in a row are a failure too: whoever waits for the verdict gives up in the end.
const WHOLE_TIMEOUT_MS = 30 * 60_000

const folder = mkdtempSync(join(tmpdir(), 'troupe-tests-'))
// The servers under test do not run as root; they make folders in here as in any folder for temporary files.
chmodSync(folder, 0o1777)
const mark = `TROUPE_TEST_RUN=${folder}`
const env = {
  ...process.env,
  TMPDIR: folder,
  TROUPE_TEST_RUN: folder,
  NODE_NO_WARNINGS: '1',
  // Hundreds of processes read the same sources: what one of them compiled, the next ones need not.
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'troupe', 'compiled'),
}
const runner = spawn(
  process.execPath,
  ['--test', `--test-concurrency=${LANES}`, `--test-timeout=${FILE_TIMEOUT_MS}`, '--test-reporter=spec', ...files],
  { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] },
)
const timer = setTimeout(() => {
  console.error(`The tests did not end within ${WHOLE_TIMEOUT_MS / 60_000} minutes.`)
  runner.kill()
}, WHOLE_TIMEOUT_MS)
const code = await new Promise<number>((resolve) => runner.once('exit', (status) => resolve(status ?? 1)))
clearTimeout(timer)

// onnxruntime's own telemetry keeps the first two in the folder for temporary files when its process is killed; npm
// keeps its own compiled code in the third.
const FOREIGN = /^(\.ses|mat-debug-\d+\.log|node-compile-cache)$/
const leftFiles = readdirSync(folder).filter((name) => !FOREIGN.test(name))
const leaks = [...leftProcesses(), ...leftFiles.map((name) => `file ${name}`)]
for (const leak of leaks) console.error(`left behind: ${leak}`)
rmSync(folder, { recursive: true, force: true })
process.exitCode = code === 0 && leaks.length > 0 ? 1 : code

/** Processes that carry the mark of this run in their environment. They are ended. */
function leftProcesses(): string[] {
  const left: string[] = []
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (Number(entry) === process.pid || !readFileSync(`/proc/${entry}/environ`, 'utf8').includes(mark)) continue
      left.push(`process ${entry}: ${readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ')}`)
      process.kill(Number(entry), 'SIGKILL')
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return left
}
