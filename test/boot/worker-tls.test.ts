// A worker on another machine: its calls travel under TLS, and only callers with a certificate of the same authority
// are answered.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings } from '../../src/boot/settings.ts'
import { connectWorkers } from '../../src/boot/workers.ts'
import { findProgram, freePort } from '../support/server-process.ts'
import { ROOT, temporaryFolder } from './installation.ts'

const skip = findProgram('openssl') === undefined && 'openssl, which makes the certificates, is not installed'

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const authority = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
  ]
  openssl(...authority, '-subj', '/CN=authority')
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1')
  for (const who of ['worker', 'caller']) {
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${who}.key`,
      '-out',
      `${who}.csr`,
      '-subj',
      `/CN=${who}`,
    )
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', 'names']
    openssl('x509', '-req', '-in', `${who}.csr`, '-out', `${who}.pem`, ...signed)
  }
}

test('inference under TLS: callers with a certificate are answered, others are not', { skip }, async (t) => {
  const folder = temporaryFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  makeCertificates(folder)
  const files = (who: string) => ({
    TROUPE_INFERENCE_TLS_CERT: join(folder, `${who}.pem`),
    TROUPE_INFERENCE_TLS_KEY: join(folder, `${who}.key`),
    TROUPE_INFERENCE_TLS_CA: join(folder, 'ca.pem'),
  })
  const address = `127.0.0.1:${await freePort()}`
  const worker = spawn(process.execPath, [join(ROOT, 'src', 'boot', 'inference.ts')], {
    env: { ...process.env, ...files('worker'), TROUPE_INFERENCE_ADDRESS: address, TROUPE_MODELS: join(ROOT, 'models') },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = once(worker, 'exit')
  t.after(async () => {
    worker.kill('SIGTERM')
    await gone
  })
  await new Promise<void>((resolve, reject) => {
    worker.stderr.setEncoding('utf8').on('data', (said: string) => /port \d+/.test(said) && resolve())
    worker.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)))
  })

  const classify = async (environment: Record<string, string>) => {
    const workers = connectWorkers(readSettings({ ...environment }))
    const answer = await workers.inference.classify('document-type', ['Invoice 17, due 1 May']).finally(workers.close)
    return answer.length
  }
  assert.equal(await classify({ TROUPE_INFERENCE_URL: `grpcs://${address}`, ...files('caller') }), 1)
  const { TROUPE_INFERENCE_TLS_CA } = files('caller')
  await assert.rejects(classify({ TROUPE_INFERENCE_URL: `grpcs://${address}`, TROUPE_INFERENCE_TLS_CA }))
  await assert.rejects(classify({ TROUPE_INFERENCE_URL: address }))
})
