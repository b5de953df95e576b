// What cannot run here (an image, a cluster) is held against the code: programs and settings that the files name exist.
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..', '..')
const files = ['Dockerfile', 'docker-compose.yml', ...globSync('k8s/**/*.yaml', { cwd: root })]
const text = (file: string) => readFileSync(join(root, file), 'utf8')
const boot = globSync('src/boot/*.ts', { cwd: root }).map(text).join('\n')

test('every program that an image or a manifest starts exists', () => {
  const programs = files.flatMap((file) =>
    [...text(file).matchAll(/src\/boot\/[a-z-]+\.ts/g)].map(([program]) => program),
  )
  assert.ok(programs.length >= 9)
  for (const program of programs) assert.ok(existsSync(join(root, program)), program)
})

test('every setting that they make is one that the processes read', () => {
  const settings = files.flatMap((file) =>
    [...text(file).matchAll(/\bTROUPE_[A-Z_]+\b/g)].map(([name]) => ({ file, name })),
  )
  // Compose's own: which image to run.
  const unread = settings.filter(({ name }) => name !== 'TROUPE_IMAGE' && !boot.includes(name))
  assert.deepEqual(unread, [])
})

test('no container runs as root, and each is given time to drain', () => {
  assert.match(text('Dockerfile'), /^USER node$/m)
  for (const file of ['gateway', 'host', 'workers']) {
    const manifest = text(`k8s/base/${file}.yaml`)
    assert.match(manifest, /runAsNonRoot: true/)
    assert.match(manifest, /terminationGracePeriodSeconds: 30/)
  }
})
