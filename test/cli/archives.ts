// Archives as `npm pack` makes them, and as nobody should.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface Entry {
  name: string
  content?: string | Buffer
  /** `0` a file, `1` a hard link, `2` a symbolic link, `3` a device, `5` a folder, `x` an extended header. */
  type?: string
  linkTo?: string
}

export function archiveOf(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, content = '', type = '0', linkTo = '' }) => {
    const body = Buffer.from(content)
    const header = Buffer.alloc(512)
    header.write(name, 0, 100)
    header.write('0000644\0', 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(linkTo, 157, 100)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 1 })
}

export function packageArchive(manifest: object, files: Record<string, string>, more: Entry[] = []): Buffer {
  const all = { 'package.json': JSON.stringify(manifest), ...files }
  return archiveOf([...Object.entries(all).map(([name, content]) => ({ name: `package/${name}`, content })), ...more])
}

/** A registry with these packages, by name. */
export async function startRegistry(packages: Record<string, { manifest: object; archive: Buffer }>) {
  const server = createServer((request, response) => {
    const [path] = decodeURIComponent(request.url ?? '/')
      .slice(1)
      .split('?')
    const [name, isArchive] = path!.endsWith('.tgz') ? [path!.slice(0, -4), true] : [path!, false]
    const found = packages[name]
    if (found === undefined) return void response.writeHead(404).end('{}')
    const { manifest, archive } = found
    if (isArchive) return void response.end(archive)
    const shasum = createHash('sha1').update(archive).digest('hex')
    const tarball = `http://${request.headers.host}/${encodeURIComponent(name)}.tgz`
    const version = { ...manifest, name, version: '1.0.0', dist: { tarball, shasum } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
